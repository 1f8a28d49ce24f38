/** Two hundred tests at the same time against one server, each in an organization of its own. */

import { describe } from "vitest";
import { names, test, upload } from "./fixtures.js";

const numbers = Array.from({ length: 200 }, (_, number) => number);

describe.concurrent("nobody else is in the organization", () => {
  test.for(numbers)("%i", async (number, { organization, expect }) => {
    expect(await names(organization)).toEqual([]);
    await upload(organization, `${number}.png`);
    expect(await names(organization)).toEqual([String(number)]);
  });
});
