// What our scripts know beyond the browser's own types.

/** An event of htmx on an element. */
type HtmxEvent = CustomEvent<{
  successful?: boolean;
  xhr: XMLHttpRequest;
  requestConfig: {
    verb: string;
    path: string;
    elt: HTMLElement;
    target: HTMLElement;
    parameters: object;
    headers: Record<string, string>;
  };
}>;

declare const htmx: {
  ajax(verb: string, path: string, context: object): Promise<void>;
  process(element: HTMLElement): void;
};

interface Window {
  htmx?: typeof htmx;
}

interface HtmxEventMap {
  "htmx:afterRequest": HtmxEvent;
  "htmx:afterSwap": HtmxEvent;
  "htmx:beforeOnLoad": HtmxEvent;
  "htmx:beforeRequest": HtmxEvent;
  "htmx:load": HtmxEvent;
}
interface DocumentEventMap extends HtmxEventMap {}
interface HTMLElementEventMap extends HtmxEventMap {}

interface WindowEventMap {
  /** The tiles of a file that was uploaded. */
  uploaded: CustomEvent<HTMLElement[]>;
}

// The events that we listen to come from elements, and the elements that we look for are HTML.
interface EventTarget {
  closest(selectors: string): HTMLElement;
  matches(selectors: string): boolean;
}
interface ParentNode {
  querySelector(selectors: "form"): HTMLFormElement;
  querySelector(selectors: "progress"): HTMLProgressElement;
  querySelector(selectors: string): HTMLElement;
  querySelectorAll(selectors: string): NodeListOf<HTMLElement>;
}
