/** The package as it is built: what users get is what is measured. */
export async function divvyBuilt(): Promise<typeof import("../src/index.ts")> {
  return await import(new URL("../dist/index.js", import.meta.url).href);
}

export async function sqliteBuilt(): Promise<typeof import("../src/sqlite.ts")> {
  return await import(new URL("../dist/sqlite.js", import.meta.url).href);
}

export async function testingBuilt(): Promise<typeof import("../src/testing/index.ts")> {
  return await import(new URL("../dist/testing.js", import.meta.url).href);
}
