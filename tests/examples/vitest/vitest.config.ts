import { defineConfig } from "vitest/config";

export default defineConfig({ test: { globalSetup: "./global_setup.ts", maxConcurrency: 20 } });
