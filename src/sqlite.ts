/** The ledger on disk, published as `divvy/sqlite`: who does not ask for it does not load it. */
export { sqliteLedger } from "./ledger/sqlite-ledger.ts";
