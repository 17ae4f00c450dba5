import fc from "fast-check";

/**
 * CI draws the same random cases every time, so that a red run can be run again; `npm run test:long` draws new ones each time
 * and prints the seed of what fails.
 */
if (!process.env["DAEG_LONG"]) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_261_121 });
