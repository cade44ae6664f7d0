/** Whether what is typed belongs to a field, so that no shortcut may take it. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
    || (target instanceof HTMLInputElement && target.type !== "range" && target.type !== "checkbox");
}

/** The step that a key leads to, or undefined if it is none of those that move. */
export function stepFor(key: string, step: number, last: number): number | undefined {
  switch (key) {
    case "ArrowLeft": case "ArrowUp": case "k": return Math.max(step - 1, 0);
    case "ArrowRight": case "ArrowDown": case "j": return Math.min(step + 1, last);
    case "Home": return 0;
    case "End": return last;
    default: return undefined;
  }
}
