/** Finds and makes elements of the page. */

/** An element of index.html by its id. @throws {Error} when there is no element of this kind with the id */
export function element<E extends Element>(id: string, kind: new () => E): E {
  const found = document.querySelector(`#${id}`);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} with the id ${id}`);
  return found;
}

/** Shows an element with a text, or hides it if there is no text. */
export function showText(target: HTMLElement, text: string | undefined): void {
  target.hidden = text === undefined;
  target.textContent = text ?? "";
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
