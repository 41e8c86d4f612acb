/** A text as its readers put it together: a delta with a new attempt voids what came before. */
export function rebuilt(deltas: readonly { readonly attempt: number; readonly text: string }[]): string {
  let text = "";
  let last: number | undefined;
  for (const delta of deltas) {
    text = delta.attempt === last ? text + delta.text : delta.text;
    last = delta.attempt;
  }
  return text;
}
