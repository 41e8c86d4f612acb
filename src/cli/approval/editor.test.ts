import { expect, test } from "vitest";
import { editorIn } from "./editor.ts";

test("the editor is the one that is named, VISUAL before EDITOR, with its arguments; else what every system has", () => {
  expect(editorIn({ VISUAL: "code --wait", EDITOR: "nano" })).toBe("code --wait");
  expect(editorIn({ VISUAL: " ", EDITOR: "nano" })).toBe("nano");
  expect(editorIn({}, "linux")).toBe("vi");
  expect(editorIn({}, "win32")).toBe("notepad");
});
