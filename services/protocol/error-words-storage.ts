/** Sentences for the errors of storage units and of the community battery; see `error-words.ts`. */
type Values = Record<string, string>;

export const storageSentences: Record<string, (v: Values) => string> = {
  UnknownUnit: (v) => `There is no storage unit ${v["unit"]}.`,
  UnitTermsOutOfRange: (v) =>
    `A unit has a capacity, a power, an efficiency of 50 to 100 % and a reserve of at most 100 %, not ${v["capacityWh"]} Wh, ${v["powerW"]} W, ${v["efficiencyPpm"]} and ${v["reservePpm"]} millionths.`,
  ConnectionHasUnit: (v) =>
    `The meter of point ${v["connection"]} measures storage unit ${v["unit"]} already; another one needs a meter of its own.`,
  TooManyUnitMeters: (v) =>
    `Metering point ${v["connection"]} had ${v["most"]} own meters of storage units already; it can have no more.`,
  UnitIsRetired: (v) => `Storage unit ${v["unit"]} is retired.`,
  NotUnitMeter: (v) => `Storage unit ${v["unit"]} is measured by meter ${v["expected"]}, not by ${v["meter"]}.`,
  UnitOutOfOrder: (v) =>
    `Storage unit ${v["unit"]} is counted through slot ${v["countedThrough"]}; readings from slot ${v["firstSlot"]} on do not follow.`,
  UnitSlotNotProved: (v) => `The reading of storage unit ${v["unit"]} in slot ${v["slot"]} must be proved.`,
  // Community battery
  PointAlreadySet: (v) => `The battery's metering point is ${v["point"]} already.`,
  NotVaultPoint: (v) => `Metering point ${v["point"]} belongs to ${v["owner"]}, not to the battery's vault.`,
  PointNotSet: () => "The battery has no metering point yet.",
  AmountTooLarge: (v) => `${v["amount"]} base units are more than anybody has; at most ${v["most"]}.`,
  RequestOpen: (v) =>
    `${v["holder"]} has an open request of day ${v["day"]}; it must be executed or paid in full first.`,
  NothingAsked: (v) => `Nobody requested anything on day ${v["day"]}.`,
  AlreadyMarked: (v) => `The requests of day ${v["day"]} are marked since slot ${v["slot"]}.`,
  SlotUnsettled: (v) => `Slot ${v["slot"]} must be settled before the requests of day ${v["day"]} are marked.`,
  NotMarked: (v) => `The requests of day ${v["day"]} are not marked yet.`,
  AlreadyExecuted: (v) => `The requests of day ${v["day"]} were executed in slot ${v["slot"]}.`,
  BatchNotFinal: (v) =>
    `The requests of day ${v["day"]} wait until slot ${v["throughSlot"]} is final; slots are final up to ${v["finalThrough"]}.`,
  NothingDue: () => "No redemption waits to be paid.",
  NotExecuted: (v) => `The redemptions of day ${v["day"]} come next and are not executed yet.`,
  TokensMissing: (v) =>
    `${v["needed"]} base units are needed for the redemptions of day ${v["day"]}, and none are there; fetch them from the ledger.`,
  NothingToFetch: () => "The vault has the tokens that open redemptions need.",
  NothingToHalt: () => "No redemption lacks tokens for longer than a day, or trading has stopped already.",
  BatchOverdue: (v) => `The redemptions of day ${v["day"]} lack tokens for longer than a day; they are paid first.`,
  NotFree: (v) => `${v["free"]} base units are free to trade with, not ${v["amount"]}: redemptions need the rest.`,
  NotHeir: (v) => `${v["caller"]} was not named to take the battery over.`,
  SharesStay: (v) => `The battery is taken over when all shares are on their way out; ${v["shares"]} are not.`,
  TakeOverTooDear: (v) => `The battery's account is worth ${v["assets"]} base units, more than ${v["most"]}.`,
  NotRequester: (v) => `Only ${v["owner"]} takes what its requests gave, not ${v["caller"]}.`,
  NothingReturned: (v) => `Nothing was returned to ${v["holder"]}.`,
  NoPreview: () => "Requests have no price in advance.",
};
