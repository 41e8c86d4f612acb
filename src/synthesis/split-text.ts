/** Borders of a text, the best ones first. */
const borders = ["\n\n", "\n", ". ", " "];

/**
 * Divides a text into parts that fit, at the borders of paragraphs or lines where there are some, and never inside a character. The
 * parts, put together, are the text.
 *
 * @param fits is it short enough? Must say yes to what is one character long
 */
export function splitText(text: string, fits: (part: string) => boolean): string[] {
  if (text.length < 2 || fits(text)) return [text];
  const cut = cutNear(text);
  if (cut === 0) return [text];
  return [...splitText(text.slice(0, cut), fits), ...splitText(text.slice(cut), fits)];
}

/** Where to cut a text near its middle: both parts are at least a quarter of it where that can be; 0 where it is one character. */
function cutNear(text: string): number {
  const middle = text.length >> 1;
  const [least, most] = [middle >> 1, text.length - (middle >> 1)];
  for (const border of borders) {
    const before = text.lastIndexOf(border, middle - border.length);
    const after = text.indexOf(border, middle);
    const cuts = [before, after].filter((at) => at >= 0).map((at) => at + border.length);
    const [best] = cuts.filter((at) => at >= least && at <= most).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    if (best !== undefined && best > 0 && best < text.length) return best;
  }
  const segments = new Intl.Segmenter().segment(text);
  const { index = 0, segment = text } = segments.containing(middle) ?? {};
  if (index > 0) return index;
  return segment.length < text.length ? segment.length : 0;
}
