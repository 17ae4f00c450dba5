/** Sentences for the errors of profiles, demand response and usage; see `error-words.ts`. */
type Values = Record<string, string>;

export const consumptionSentences: Record<string, (v: Values) => string> = {
  UnknownPriority: (v) => `Priority ${v["priority"]} does not exist; there are 0 to 3.`,
  BlobMismatch: (v) => `The blob's hash is ${v["got"]}, not ${v["expected"]}.`,
  // Demand response
  UnknownEvent: (v) => `There is no demand-response event ${v["id"]}.`,
  BadWindow: (v) =>
    `${v["slots"]} slots from ${v["firstSlot"]} on are no window: 1 to 32 slots of one UTC day, and for less use at most 8,000 readings.`,
  BadZones: (v) => `An event is for 1 to 32 of the ${v["zoneCount"]} zones; their mask was ${v["zones"]}.`,
  NothingOffered: (v) => `An event needs a target and a price, not ${v["targetWh"]} Wh for ${v["price"]}.`,
  PenaltyTooHigh: (v) => `A penalty of ${v["penaltyPpm"]} ppm is above the highest, ${v["highest"]}.`,
  BadEnrolment: (v) =>
    `Points enrol from now (${v["now_"]}) until the gate (${v["gate"]}) at the latest, at most ten days ahead; not until ${v["enrolUntil"]}.`,
  WindowTaken: (v) => `Another event holds some of the slots from ${v["firstSlot"]} on in zone ${v["zone"]}.`,
  TooFewDays: (v) => `Only ${v["days_"]} days before today can serve as baseline; ${v["minimum"]} are needed.`,
  NotOwnerOrDelegate: (v) => `${v["caller"]} is neither owner nor delegate of point ${v["point"]}.`,
  EnrolmentOver: (v) => `Points enrolled in event ${v["id"]} until ${v["until"]}.`,
  OtherZone: (v) => `Point ${v["point"]} is in zone ${v["zone"]}, for which the event is not.`,
  CapacityOutOfBounds: (v) => `Point ${v["point"]} can enrol 1 to ${v["highest"]} Wh, not ${v["capacityWh"]}.`,
  TargetReached: (v) => `Event ${v["id"]} would have ${v["enrolledWh"]} Wh of its ${v["targetWh"]} enrolled.`,
  AlreadyEnrolled: (v) => `Point ${v["point"]} is enrolled in event ${v["id"]} already.`,
  NotEnrolled: (v) => `Point ${v["point"]} is not enrolled in event ${v["id"]}.`,
  OutsideRing: (v) =>
    `Positions of event ${v["id"]} are kept from slot ${v["from"]} until before slot ${v["until"]}; it is slot ${v["now_"]}.`,
  RecordsDiffer: (v) => `${v["given"]} records were given for ${v["slots"]} slots.`,
  PositionNotKept: (v) => `Keep the position of point ${v["point"]} in event ${v["id"]} first.`,
  AlreadyKept: (v) => `The position of point ${v["point"]} in event ${v["id"]} is kept already.`,
  AlreadyProved: (v) => `Point ${v["point"]} is proved in event ${v["id"]} already.`,
  WrongRange: (v) =>
    `A proof is for other slots than it must be: meter ${v["meter"]}, ${v["slots"]} from slot ${v["firstSlot"]} on.`,
  SlotLeftOut: (v) => `The proof leaves out slot ${v["slot"]}, which has readings.`,
  AllCounted: (v) => `The zones of event ${v["id"]} are counted.`,
  WindowInParts: (v) => `The window has ${v["slots"]} slots and is counted at once, not ${v["given"]} of them.`,
  TooManySlots: (v) => `${v["given"]} slots were given; 1 to ${v["left"]} are left of this day.`,
  ProofsOver: (v) => `Proofs for event ${v["id"]} were taken until slot ${v["untilSlot"]}.`,
  AlreadyClosed: (v) => `Event ${v["id"]} is closed.`,
  NotClosed: (v) => `Event ${v["id"]} is not closed yet.`,
  StillOpen: (v) =>
    `Something about event ${v["id"]} is not proved yet; without it the event closes after slot ${v["untilSlot"]}.`,
  NothingOwed: (v) => `Nothing is owed to ${v["sponsor"]}.`,
  BadMethod: (v) =>
    `A baseline of ${v["high"]} of ${v["days_"]} days, at least ${v["minimum"]}, is impossible (10 at most).`,
  // Usage
  BadPeriod: (v) => `Hour ${v["hour"]} has period ${v["period"]}; there are 0 to 3.`,
  IntensityTooHigh: (v) => `Value ${v["index"]}, ${v["gramsPerKwh"]} g/kWh, is above ${v["highest"]}.`,
  IntensityKnown: (v) => `The intensity of day ${v["day"]} is published and never changes.`,
  IntensityNotDue: (v) =>
    `The intensity of day ${v["day"]} is published from that day on, for a week; today is ${v["today"]}.`,
  IntensityMissing: (v) => `The intensity of day ${v["day"]} is not published yet.`,
  NotWholeDay: (v) => `A day is 96 slots from midnight on, not ${v["slots"]} from slot ${v["firstSlot"]} on.`,
  DayKnown: (v) => `Day ${v["day"]} of point ${v["point"]} is counted already.`,
  DayNotCounted: (v) => `Day ${v["day"]} of point ${v["point"]} is not counted yet.`,
  NothingToCredit: (v) => `No more certificates were claimed for day ${v["day"]} of point ${v["point"]}.`,
};
