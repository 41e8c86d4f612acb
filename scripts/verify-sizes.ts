/** Small files are read whole: half of them have at most 120 lines, none has more than 400. */
import { globSync, readFileSync } from "node:fs";

const MEDIAN = 120;
const MOST = 400;

const files = globSync("src/**/*.{ts,tsx}").filter((file) => !/\.test\.tsx?$/.test(file));
const sizes = files.map((file) => ({ file, lines: readFileSync(file, "utf8").split("\n").length - 1 })).toSorted((a, b) => a.lines - b.lines);
const median = sizes[Math.floor(sizes.length / 2)]?.lines ?? 0;
const tooLong = sizes.filter(({ lines }) => lines > MOST);

console.log(`${sizes.length} files, median ${median} lines, longest ${sizes.at(-1)?.lines ?? 0}`);
for (const { file, lines } of tooLong) console.error(`${file} has ${lines} lines; at most ${MOST} are allowed`);
if (median > MEDIAN) console.error(`The median file has ${median} lines; at most ${MEDIAN} are allowed`);
if (tooLong.length > 0 || median > MEDIAN) process.exitCode = 1;
