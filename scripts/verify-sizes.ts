/** Small files are read whole: half of the sources have at most 120 lines, and no file has more than 400, tests included. */
import { globSync, readFileSync } from "node:fs";

const MEDIAN = 120;
const MOST = 400;

const files = globSync("{src,test,bench,scripts,examples}/**/*.{ts,tsx}");
const sizes = files.map((file) => ({ file, lines: readFileSync(file, "utf8").split("\n").length - 1 })).toSorted((a, b) => a.lines - b.lines);
const sources = sizes.filter(({ file }) => /^src[\\/]/.test(file) && !/\.test\.tsx?$/.test(file));
const median = sources[Math.floor(sources.length / 2)]?.lines ?? 0;
const tooLong = sizes.filter(({ lines }) => lines > MOST);

console.log(`${sources.length} sources, median ${median} lines; ${sizes.length} files in all, longest ${sizes.at(-1)?.lines ?? 0}`);
for (const { file, lines } of tooLong) console.error(`${file} has ${lines} lines; at most ${MOST} are allowed`);
if (median > MEDIAN) console.error(`The median source has ${median} lines; at most ${MEDIAN} are allowed`);
if (tooLong.length > 0 || median > MEDIAN) process.exitCode = 1;
