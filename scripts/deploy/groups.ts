import { access } from "./access.ts";
import { balancing } from "./balancing.ts";
import { consumption } from "./consumption.ts";
import { core } from "./core.ts";
import { emergency } from "./emergency.ts";
import type { Group } from "./group.ts";
import { pricing } from "./pricing.ts";
import { production } from "./production.ts";
import { storage } from "./storage.ts";

/** All parts of the contract suite, in order of creation. New ones come at the end, before the account of the admin. */
export const GROUPS: readonly Group[] = [core, production, emergency, balancing, pricing, consumption, storage, access];
