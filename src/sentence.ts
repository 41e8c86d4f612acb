/** A message to which more is said. It may end with a provider's own words, which have no full stop. */
export function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
