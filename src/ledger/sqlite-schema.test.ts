import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { newFiles } from "./new-files-fixture.ts";
import { migrate, migrations } from "./sqlite-schema.ts";

const newFile = newFiles();
const next = [...migrations, "ALTER TABLE runs ADD COLUMN note TEXT; UPDATE runs SET note = 'old'"];
const run = "INSERT INTO runs (run_id, started_at, updated_at, record) VALUES ('r', 1, 2, '{}')";

/** A file of the version that is the newest now, with a run in it. */
function newest(): { readonly db: DatabaseSync; readonly file: string } {
  const file = newFile();
  const db = new DatabaseSync(file);
  migrate(db, file);
  db.exec(run);
  return { db, file };
}

function versionOf(db: DatabaseSync): unknown {
  return db.prepare("PRAGMA user_version").get()?.["user_version"];
}

describe("the migrations of a ledger's file", () => {
  test("bring a new file to the newest version, and write nothing to one that is", () => {
    const { db, file } = newest();
    expect(versionOf(db)).toBe(migrations.length);
    const before = readFileSync(file);
    migrate(db, file);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("bring an older file forward, with what stands in it", () => {
    const { db, file } = newest();
    migrate(db, file, next);
    expect(versionOf(db)).toBe(migrations.length + 1);
    expect({ ...db.prepare("SELECT run_id, updated_at, note FROM runs").get() }).toEqual({ run_id: "r", updated_at: 2, note: "old" });
  });

  test("leave a file as it was where a step fails, whatever the steps before it did", () => {
    const { db, file } = newest();
    expect(() => migrate(db, file, [...next, "CREATE TABLE runs (a)"])).toThrow("already exists");
    expect(versionOf(db)).toBe(migrations.length);
    expect({ ...db.prepare("SELECT * FROM runs").get() }).toEqual({ run_id: "r", started_at: 1, updated_at: 2, record: "{}" });
    migrate(db, file, next);
    expect(versionOf(db)).toBe(migrations.length + 1);
  });

  test("are refused by those that know fewer of them", () => {
    const { db, file } = newest();
    migrate(db, file, next);
    expect(() => migrate(db, file)).toThrow(expect.objectContaining({ code: "ledger_version" }));
    expect(versionOf(db)).toBe(migrations.length + 1);
  });
});
