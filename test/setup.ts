import fc from "fast-check";

/** Where a red build must be the change's own doing, properties are tried with the same cases each time; elsewhere with new ones. */
if (process.env["CI"] !== undefined) fc.configureGlobal({ seed: 20_261_122 });
