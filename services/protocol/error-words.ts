import { consumptionSentences } from "./error-words-consumption.ts";
import { storageSentences } from "./error-words-storage.ts";

/** One sentence for every custom error of the contracts, in words that a prosumer or an operator understands. */
type Values = Record<string, string>;

const slotOf = (v: Values): string => `slot ${v["slot"]}`;

const sentences: Record<string, (v: Values) => string> = {
  // Metering points, grid, tariffs
  UnknownPoint: (v) => `There is no metering point ${v["point"]}.`,
  NotOwner: (v) => `Metering point ${v["point"]} does not belong to ${v["caller"]}.`,
  UnknownZone: (v) => `Zone ${v["zone"]} does not exist; there are ${v["zoneCount"] ?? v["zones"]} zones.`,
  TradeLimitTooHigh: (v) =>
    `A trading limit of ${v["tradeLimitWh"]} Wh exceeds the connection's rating of ${v["highestWh"]} Wh per slot.`,
  TooManyRaises: (v) => `The trading limit of point ${v["point"]} was raised 62 times already; it can only be lowered.`,
  SlotsOpen: (v) =>
    `The trading limit of point ${v["point"]} can be lowered when slot ${v["throughSlot"]} is final; slots are final up to ${v["finalThrough"]}.`,
  ZeroAddress: () => "The zero address can own nothing and sign nothing.",
  NotTopological: (v) => `Zone ${v["zone"]} stands before its parent ${v["parent"]}; parents come first.`,
  TooManyZones: (v) => `A network has 1 to 128 zones, not ${v["zones"]}.`,
  SlotTooEarly: (v) => `A new network may take effect from slot ${v["earliest"]}, not already from ${v["fromSlot"]}.`,
  NoLimits: () => "A meshed network needs at least one limit.",
  TooManyLimits: (v) => `${v["limits"]} limits are more than the ${v["most"]} that one proof takes.`,
  StagedForOtherZones: (v) => `Limits for ${v["stagedZones"]} zones are staged, not for ${v["zones"]}.`,
  WrongWeightCount: (v) => `Limit ${v["limit"]} has ${v["weights"]} weights for ${v["zones"]} zones.`,
  LimitExcludesZero: (v) =>
    `Limit ${v["limit"]} from ${v["minWh"]} to ${v["maxWh"]} Wh must allow no trade at all: minWh <= 0 <= maxWh.`,
  ZoneCountFell: (v) => `Zones are never removed: there were ${v["previous"]}, now ${v["zones"]}.`,
  NoGrid: (v) => `No network is set for ${slotOf(v)}.`,
  NotStored: (v) => `${v["length"]} bytes are too many to store as one contract.`,
  AlreadyPublished: (v) => `The terms of ${slotOf(v)} are published and never change.`,
  SlotOver: (v) => `${slotOf(v)} is over; its terms can no longer be published.`,
  TooFarAhead: (v) => `Terms of ${slotOf(v)} are too far ahead; the latest is slot ${v["latest"]}.`,
  TariffsCross: (v) =>
    `In ${slotOf(v)} the export tariff ${v["exportTariff"]} is not below the import tariff ${v["importTariff"]} less the fee ${v["fee"]}.`,
  OutsideBounds: (v) => `In ${slotOf(v)} the value ${v["value"]} lies outside ${v["lowest"]} to ${v["highest"]}.`,
  BoundsCross: (v) => `The lower bound ${v["lowest"]} is not below the upper bound ${v["highest"]}.`,
  GovernedSlot: (v) =>
    `Dynamic tariffs govern slots ${v["firstSlot"]} to ${v["lastSlot"]}; nobody publishes their terms by hand.`,
  NotMidnight: (v) => `Parameters change at a midnight (UTC); slot ${v["fromSlot"]} is none.`,
  NoticeTooShort: (v) => `Parameters change from slot ${v["earliest"]} at the earliest, not from ${v["fromSlot"]}.`,
  ChangePending: (v) => `Another change takes effect in slot ${v["fromSlot"]}; wait for it.`,
  NotSwitchedOn: (v) => `No dynamic tariffs govern ${slotOf(v)}.`,
  TimingOutOfRange: (v) =>
    `A step must divide 96 slots, end within 120 slots and look back on 1 to 32; lead ${v["leadSlots"]}, step ${v["stepSlots"]} and window ${v["windowSlots"]} do not fit.`,
  WrongTableLength: (v) => `A table of tariffs has 384 bytes (hours) or 1,536 (quarter-hours), not ${v["length"]}.`,
  DayOutside: (v) =>
    `The weather of days ${v["firstDay"]} to ${v["lastDay"]} can be stated now, not that of day ${v["day"]}.`,
  WeatherNotNewer: (v) =>
    `The weather of day ${v["day"]} is stated in version ${v["current"]}; version ${v["version"]} does not replace it.`,
  RecordsLeftOver: (v) => `${v["given"]} clearing records were given; ${v["used"]} are needed.`,
  NotPublished: (v) => `No terms are published for ${slotOf(v)}.`,
  PenaltyTooHigh: (v) =>
    `A penalty of ${v["price"]} micro-token per kWh is above the highest there may be, ${v["highest"]}.`,
  // Operating envelopes
  NothingToSet: () => "No envelopes are given.",
  EnvelopeFrozen: (v) =>
    `The envelopes of ${slotOf(v)} stand since ${v["frozenAt"]}, one slot before its gate closure.`,
  EnvelopeTooFarAhead: (v) => `Envelopes of ${slotOf(v)} are too far ahead; the latest is slot ${v["latest"]}.`,
  EnvelopeRingFull: (v) =>
    `Envelopes of ${slotOf(v)} would replace those of a slot that is not final; the first such slot is ${v["firstOpen"]}.`,
  MalformedEnvelopes: (v) => `The envelopes of ${slotOf(v)} have ${v["bytes_"]} bytes; an entry has 14.`,
  EnvelopesNotAscending: (v) =>
    `Entry ${v["entry"]} of the envelopes of ${slotOf(v)} does not have a higher number than the one before.`,
  // Losses, peak charge, refunds
  WrongReadings: (v) => `The readings of ${slotOf(v)} lead to ${v["got"]} instead of ${v["expected"]}.`,
  SlotCountsDiffer: (v) => `${v["leaves"]} leaves are given for ${v["slots"]} slots.`,
  LeafNotGiven: (v) => `The leaf of ${slotOf(v)} is not given.`,
  SlotNotNext: (v) => `The losses of slot ${v["next"]} come next, not of slot ${v["slot"]}.`,
  PriceTooHigh: (v) =>
    `A price of ${v["price"]} micro-token per kW is above the highest there may be, ${v["highest"]}.`,
  PeakWindowOver: (v) => `Month ${v["month"]} takes no more peaks.`,
  PeakWindowOpen: (v) => `Peaks of month ${v["month"]} may still be offered.`,
  NothingHigher: (v) => `Nothing is above the third peak of month ${v["month"]}, ${v["thirdWh"]} Wh.`,
  NothingToCharge: (v) => `Nothing is left to charge in month ${v["month"]}.`,
  WrongPeak: (v) => `Slot ${v["expected"]} is charged next, not slot ${v["got"]}.`,
  SlotNotNextToCount: (v) => `Slot ${v["next"]} is counted next, not slot ${v["slot"]}.`,
  MonthNotCounted: (v) => `Month ${v["month"]} is not counted to its end; slots are up to ${v["countedThrough"]}.`,
  NothingToRefund: () => "No points are named.",
  RefundShort: (v) => `Account ${v["account"]} holds ${v["balance"]} nano-token; ${v["needed"]} are to be refunded.`,
  // Ledger
  NotAccountOwner: (v) => `Account ${v["account"]} does not belong to ${v["caller"]}.`,
  CreditNotCovered: (v) =>
    `The backup supplier has ${v["freeNano"]} nano-token beyond its margin, less than all credit, ${v["creditNano"]}.`,
  CreditInUse: (v) =>
    `Point ${v["point"]} would have ${v["backingNano"]} nano-token with that credit, its margin needs ${v["requiredNano"]}.`,
  NotInDefault: (v) => `Point ${v["point"]} owes nothing: its balance is ${v["balanceNano"]} nano-token.`,
  AlreadySuspended: (v) => `Point ${v["point"]} is suspended since slot ${v["sinceSlot"]}.`,
  NotSuspended: (v) => `Point ${v["point"]} is not suspended.`,
  NothingToCover: (v) => `Point ${v["point"]} lacks nothing, or neither the default fund nor its credit have anything.`,
  NothingToRepay: (v) =>
    `Point ${v["point"]} has nothing to pay back with: its balance is ${v["balanceNano"]} nano-token.`,
  NotSettled: (v) => `Slot ${v["slot"]} is not settled on a report.`,
  NothingToResettle: (v) => `Slot ${v["slot"]} is settled with its last report, version ${v["version"]}.`,
  WindowOver: (v) => `Slot ${v["slot"]} is final from slot ${v["finalFrom"]} on: no report changes it any more.`,
  NotLedger: (v) => `Only the ledger drops a margin, not ${v["caller"]}.`,
  NotModule: (v) => `Only a module named at deployment transfers between accounts, not ${v["caller"]}.`,
  BalanceOutOfRange: (v) =>
    `Account ${v["account"]} would stand at ${v["nano"]} nano-token, beyond any money there is.`,
  NotSettlement: (v) => `Only settlement moves money between accounts, not ${v["caller"]}.`,
  SumNotZero: (v) => `The payments sum to ${v["sum"]} nano-token instead of zero.`,
  NothingRequested: (v) => `Nothing was asked for from account ${v["account"]}.`,
  NotFinalYet: (v) =>
    `The withdrawal of account ${v["account"]} was asked for in slot ${v["requestedSlot"]}; slots are final up to ${v["finalThrough"]}.`,
  MarginNeeded: (v) =>
    `Account ${v["account"]} holds ${v["balanceNano"]} nano-token and its open slots bind ${v["requiredNano"]}.`,
  ZeroAmount: () => "The amount is zero.",
  UnknownAccount: (v) => `There is no account ${v["account"]}.`,
  DepositTooLarge: (v) => `A deposit of ${v["amount"]} is more than an account can hold.`,
  WrongAmountReceived: (v) => `The token delivered ${v["received"]} instead of ${v["expected"]} base units.`,
  // Sealed batches
  NotSealedBatches: (v) => `Only the contract of sealed batches may do this, not ${v["caller"]}.`,
  DepositTooLow: (v) => `${v["relayer"]} has ${v["free"]} base units free; ${v["needed"]} are needed.`,
  NotSealable: (v) =>
    `Batches of ${slotOf(v)} are sealed up to the gate at ${v["gate"]} and at most 120 slots ahead; it is ${v["now_"]}.`,
  TooManySealed: (v) => `${v["relayer"]} has sealed ${v["most"]} batches for ${slotOf(v)} already, the most there are.`,
  EmptyCommitment: () => "The commitment is zero.",
  NotInWindow: (v) =>
    `Sealed batches of ${slotOf(v)} are opened after its gate at ${v["gate"]} until ${v["end"]}; it is ${v["now_"]}.`,
  UnknownCommitment: (v) => `${v["relayer"]} sealed no such batch for ${slotOf(v)}, or it was opened already.`,
  NothingForfeited: (v) => `No batch of ${v["relayer"]} for ${slotOf(v)} was left unopened beyond its time.`,
  BookFull: (v) => `The book of ${slotOf(v)} can count no more words or sealed batches.`,
  // Bilateral trades
  UnknownTrade: (v) => `There is no open bilateral trade ${v["id"]}.`,
  TradeKnown: (v) => `The bilateral trade ${v["id"]} is registered already.`,
  TradeWithItself: (v) => `Point ${v["point"]} cannot trade with itself.`,
  TradeTooSmall: (v) =>
    `A bilateral trade has at least 50 Wh in each of at least one slot, not ${v["energyWh"]} Wh in ${v["slots"]}.`,
  TradeBeyondRating: (v) =>
    `${v["energyWh"]} Wh per slot exceed what the connection of point ${v["point"]} carries: ${v["ratingWh"]} Wh.`,
  GateClosed: (v) => `The gate of ${slotOf(v)} closed at ${v["gate"]}.`,
  SlotTooFarAhead: (v) => `${slotOf(v)} is too far ahead; the latest is slot ${v["latest"]}.`,
  TermsNotPublished: (v) => `The terms of ${slotOf(v)} are not published yet.`,
  PriceOutside: (v) =>
    `In ${slotOf(v)} the price ${v["price"]} lies outside ${v["lowest"]} to ${v["highest"]}; a delegate agrees to nothing worse than the tariffs.`,
  NoConsent: (v) => `Neither the owner nor a registered delegate of point ${v["point"]} agreed to this.`,
  TooManyTrades: (v) => `${slotOf(v)} has as many bilateral trades as a clearing takes.`,
  TooManyOpenTrades: (v) => `Point ${v["point"]} has as many open bilateral trades as a point may have.`,
  MarginMissing: (v) =>
    `Point ${v["point"]} holds ${v["balanceNano"]} nano-token; its orders and trades would bind ${v["requiredNano"]}.`,
  AlreadyCancelled: (v) => `The bilateral trade ${v["id"]} is cancelled already.`,
  TradeNotFinal: (v) =>
    `The bilateral trade ${v["id"]} ends in slot ${v["lastSlot"]}; slots are final up to ${v["finalThrough"]}.`,
  // Auction and proof
  NotBetweenGateAndStart: (v) =>
    `${slotOf(v)} can be cleared after its gate at ${v["gate"]} and before its start at ${v["start"]}; it is ${v["now_"]}.`,
  AlreadyCleared: (v) => `${slotOf(v)} is cleared already.`,
  BookMismatch: (v) =>
    `This is not the slot's book: an order was dropped, added, changed or moved (hash ${v["got"]} instead of ${v["expected"]}).`,
  TradesMismatch: (v) =>
    `These are not the bilateral trades of ${slotOf(v)}: one was dropped, added, changed or moved (hash ${v["got"]} instead of ${v["expected"]}).`,
  EmptyBook: (v) => `${slotOf(v)} has no orders; there is nothing to clear.`,
  MalformedBook: (v) => `A book consists of words of 16 bytes; ${v["bytes_"]} bytes do not.`,
  PointOutOfRange: (v) => `Point ${v["point"]} is beyond the ${v["limit"]} points that a book may hold.`,
  WrongZoneCount: (v) => `${v["posted"]} zones were posted; the network has ${v["expected"]}.`,
  WrongPrice: (v) => `In zone ${v["zone"]} the book supports only the price ${v["expected"]}, not ${v["posted"]}.`,
  MarginalBidOverfilled: (v) =>
    `In zone ${v["zone"]} ${v["posted"]} Wh of marginal bids were filled; there are ${v["available"]} Wh.`,
  MarginalOfferOverfilled: (v) =>
    `In zone ${v["zone"]} ${v["posted"]} Wh of marginal offers were filled; there are ${v["available"]} Wh.`,
  BackupOverfilled: (v) =>
    `In zone ${v["zone"]} the backup was filled with ${v["posted"]} Wh; its connection takes ${v["available"]} Wh.`,
  BackupAgainstPrice: (v) =>
    `In zone ${v["zone"]} the backup was filled with ${v["posted"]} Wh; at this price it takes ${v["expected"]} Wh.`,
  BackupNotLast: (v) => `In zone ${v["zone"]} the backup was served before an equally priced order.`,
  InconsistentTariffs: (v) => `The tariffs of zone ${v["zone"]} differ from those of its island.`,
  IslandNotBalanced: (v) => `The island of zone ${v["root"]} does not balance: ${v["netExportWh"]} Wh are left over.`,
  LineOverloaded: (v) =>
    `The line of zone ${v["zone"]} would carry ${v["flowToParentWh"]} Wh; its limit is ${v["limitWh"]} Wh.`,
  NotOptimal: (v) => `In zone ${v["zone"]} the fills are not optimal: accepted at ${v["lo"]}, left out at ${v["hi"]}.`,
  VolumeNotMaximal: (v) => `More could be traded from zone ${v["zone"]} at the same prices.`,
  WrongDualCount: (v) => `${v["posted"]} dual prices were posted for ${v["expected"]} limits.`,
  LimitViolated: (v) =>
    `Limit ${v["limit"]} would carry ${v["flow"]} millionths of a Wh; it allows ${v["minWh"]} to ${v["maxWh"]} Wh.`,
  LimitNotTight: (v) =>
    `Limit ${v["limit"]} has ${v["slack"]} millionths of a Wh left, too many for a dual price of ${v["mu"]} (its weights sum to ${v["weightSum"]}).`,
  DualNotNeeded: (v) => `The fills need no dual price as high as ${v["mu"]} at limit ${v["limit"]}.`,
  DualsContradictFills: (v) =>
    `With these dual prices no price of the island of zone ${v["root"]} goes with the fills: ${v["lo"]} to ${v["hi"]}.`,
  PartMismatch: (v) => `This part of the book leads to hash ${v["got"]}; the part after it begins at ${v["expected"]}.`,
  StaleProgress: (v) => `The state handed in has hash ${v["got"]}; the sender's last part left ${v["expected"]}.`,
  OtherSubmission: (v) =>
    `The postings or claims differ from those of the first part (${v["got"]}, not ${v["expected"]}).`,
  WrongClaim: (v) => `The orders at the price are not what was claimed of them (group ${v["group"]}).`,
  NoSequence: () => "The sequences of orders begin with 1; the first word of the book has 0.",
  WrongTradeCount: (v) => `${v["posted"]} fills of bilateral trades were posted; the slot has ${v["expected"]} trades.`,
  TradeOverfilled: (v) => `Bilateral trade ${v["trade"]} was filled with ${v["filledWh"]} of ${v["limitWh"]} Wh.`,
  TradeNotFull: (v) =>
    `Bilateral trade ${v["trade"]} pays the price difference, and only ${v["filledWh"]} of ${v["limitWh"]} Wh were filled.`,
  TradeAgainstSpread: (v) =>
    `Bilateral trade ${v["trade"]} was filled with ${v["filledWh"]} Wh and does not pay the price difference.`,
  GreenNotPosted: (v) => `A bid in zone ${v["zone"]} is green only, and no green prices were posted.`,
  GreenNotCovered: (v) =>
    `In the island of zone ${v["root"]} green-only bids take more than green offers give: ${v["slackWh"]} Wh are left.`,
  GreenNotTight: (v) =>
    `In the island of zone ${v["root"]} green energy costs a premium although ${v["slackWh"]} Wh of it are left over.`,
  WrongPremium: (v) =>
    `In zone ${v["zone"]} the green premium is ${v["posted"]}; the fills support ${v["expected"]} and no less.`,
  WrongFillCount: (v) => `${v["posted"]} fills were posted for ${v["expected"]} orders.`,
  FillMismatch: (v) =>
    `Order ${v["order"]} is filled with ${v["expectedWh"]} Wh by the rule, not with ${v["postedWh"]} Wh.`,
  MalformedBatches: (v) => `The batches hold ${v["words"]} words, the book has ${v["expected"]}.`,
  PositionOverflow: (v) =>
    `The position of point ${v["point"]} is beyond what a record holds: ${v["soldWh"]} Wh, ${v["words"]} words.`,
  MoneyOverflow: () => "The money of the slot is beyond what a record holds.",
  // Reports
  CommitteeTooSmall: (v) =>
    `${v["nodes"]} nodes cannot bear ${v["faults"]} faulty ones; more than three times as many are needed.`,
  CommitteeTooLarge: (v) => `A committee has at most 31 nodes, not ${v["nodes"]}.`,
  DuplicateNode: (v) => `Node ${v["node"]} appears twice or is nobody.`,
  SlotNotOver: (v) => `${slotOf(v)} ends at ${v["end"]}; it cannot be reported before.`,
  TransferLengthsDiffer: (v) => `${v["accounts"]} accounts came with ${v["deltas"]} amounts.`,
  MalformedSignatures: (v) => `Signatures have 65 bytes each; ${v["length"]} bytes came.`,
  MalformedReports: (v) => `The batch of reports ends inside a report, in its last ${v["left"]} bytes.`,
  TooFewSignatures: (v) => `Signatures: ${v["signatures"]}. A quorum needs ${v["quorum"]}.`,
  SignersNotAscending: (v) => `Signer ${v["signer"]} follows ${v["previous"]}; each node signs once, in order.`,
  UnknownSigner: (v) => `Signer ${v["signer"]} is not one of the ${v["nodes"]} nodes.`,
  WrongSignature: (v) => `The signature of node ${v["signer"]} is ${v["recovered"]}'s, not ${v["expected"]}'s.`,
  VersionNotHigher: (v) =>
    `${slotOf(v)} is reported already in version ${v["current"]}; version ${v["version"]} does not replace it.`,
  SlotIsFinal: (v) => `${slotOf(v)} is final; no report changes it any more.`,
  // Settlement
  NotReported: (v) => `${slotOf(v)} is not reported yet.`,
  ReadingsMismatch: (v) => `These are not the readings that the committee reported for ${slotOf(v)}.`,
  RecordMismatch: (v) => `This is not the clearing that was accepted for ${slotOf(v)}.`,
  AlreadySettled: (v) => `${slotOf(v)} is settled already; no slot is paid twice.`,
  AlreadyEstimated: (v) => `${slotOf(v)} is flagged as estimated already.`,
  NotEstimated: (v) => `${slotOf(v)} is not flagged as estimated.`,
  TooEarly: (v) => `This is possible for ${slotOf(v)} from ${v["from"]}; it is ${v["now_"]}.`,
  SlotsNotAscending: (v) => `Slot ${v["slot"]} follows ${v["previous"]}; slots are settled in ascending order.`,
  BeforeGenesis: (v) => `${slotOf(v)} lies before the market's first slot ${v["genesis"]}.`,
  TooManyOpenSlots: (v) => `${slotOf(v)} has to wait: slot ${v["firstOpen"]} must become final first.`,
  NothingToSettle: () => "No slot was given.",
  WrongLength: (v) => `The packed slots end at byte ${v["end"]} of the call instead of byte ${v["expected"]}.`,
  MalformedBatch: (v) => `The packed batch ends inside the order that starts at byte ${v["offset"]}.`,
  AddressEmptyCode: (v) => `There is no contract at ${v["target"]}.`,
  WrongWiring: (v) => `The contracts do not fit together: ${v["got"]} is named where ${v["expected"]} belongs.`,
  // Archive of readings
  ArchiveMismatch: (v) =>
    `The ${v["given"]} leaves given are not those of the ${v["slots"]} archived slots of day ${v["day"]}.`,
  NothingToArchive: (v) => `No slot of day ${v["day"]} was given to archive.`,
  BeyondDay: (v) => `Day ${v["day"]} has 96 slots, not ${v["slots"]}.`,
  SlotNotFinal: (v) => `${slotOf(v)} is not final yet; slots are final up to ${v["finalThrough"]}.`,
  EvidenceMismatch: (v) => `This is not the last report of ${slotOf(v)}, or the reading is not in it.`,
  SalesMismatch: (v) => `This is not the clearing record of ${slotOf(v)}.`,
  SlotNotReported: (v) => `There is no report of ${slotOf(v)} any more, or not yet.`,
  MalformedRange: (v) => `A proof has 9 bytes per slot; ${v["bytes_"]} bytes do not.`,
  NotArchived: (v) => `${slotOf(v)} is not archived; its day has ${v["archivedSlots"]} archived slots.`,
  WrongProof: (v) => `The readings and their proof do not lead to what the archive holds of day ${v["day"]}.`,
  NodesLeftOver: (v) => `The proof has ${v["given"]} nodes and needs ${v["used"]}.`,
  // Emergency levels, islanding, priority
  UnknownZones: (v) => `Zones ${v["zones"]} (a bit each) are not all among the ${v["count"]} zones of the grid.`,
  NotHigher: (v) => `The market state is ${v["current"]} already, ${v["asked"]} is no higher.`,
  NotLower: (v) => `The market state is ${v["current"]}, ${v["asked"]} is no lower.`,
  NothingAnnounced: () => "No lower market state was announced.",
  NotYet: (v) => `What was announced may be done from ${v["from"]} on; it is ${v["now_"]}.`,
  NotCurrent: (v) => `${slotOf(v)} is over; it is slot ${v["current"]}.`,
  NotTheRecord: (v) => `This is not the clearing of ${slotOf(v)}.`,
  PricesInBand: (v) => `All prices of ${slotOf(v)} lie in their band.`,
  NotSilent: (v) => `${slotOf(v)} has a report, or the market had not begun.`,
  NoDeficit: (v) => `The ledger owes ${v["owedNano"]} nano-token and holds ${v["heldNano"]}.`,
  NotNegative: (v) => `Account ${v["account"]} is no fixed account below zero: it stands at ${v["nano"]} nano-token.`,
  WithinRate: (v) => `${v["withdrawn"]} base units were withdrawn in a day; the bound is ${v["most"]}.`,
  NotEmergency: (v) => `Only the emergency contract sets the market state, not ${v["caller"]}.`,
  NotGrid: (v) => `Only the grid voids orders, not ${v["caller"]}.`,
  MeshedNetwork: (v) => `Version ${v["version"]} of the network is meshed: set a whole new one.`,
  NothingToIsland: (v) => `Zone ${v["zone"]} does not exist or is the root of an island already.`,
  UnknownPriority: (v) => `A priority class is 0 to 3, not ${v["priority"]}.`,
  // Generators, certificates, incentives
  UnknownGenerator: (v) => `There is no generator ${v["generator"]}.`,
  NotProducer: (v) => `Generator ${v["generator"]} does not belong to ${v["caller"]}.`,
  NotConnectionOwner: (v) => `Metering point ${v["connection"]} does not belong to ${v["caller"]}.`,
  NotCertificates: (v) => `Only the certificates' contract counts readings, not ${v["caller"]}.`,
  NameplateOutOfRange: (v) => `A nameplate has 1 to ${v["highestW"]} W, not ${v["nameplateW"]}.`,
  TooManyOwnMeters: (v) =>
    `Metering point ${v["connection"]} had ${v["most"]} generators' own meters already; it can have no more.`,
  CapacityFactorTooHigh: (v) => `A capacity factor is at most 1,000,000 millionths, not ${v["ppm"]}.`,
  NotYetCommissioned: (v) =>
    `The generator is commissioned in slot ${v["commissionedSlot"]}; it is slot ${v["current"]} now.`,
  OwnMeterNeeded: (v) =>
    `Generator ${v["generator"]} needs a meter of its own: other energy is fed in at metering point ${v["connection"]}.`,
  ConnectionTaken: (v) =>
    `Metering point ${v["connection"]} has the renewable generator ${v["generator"]} already; a point has one.`,
  AlreadyConsented: (v) => `The owner of the connection has agreed to generator ${v["generator"]} already.`,
  NotConsented: (v) => `The owner of the connection has not agreed to generator ${v["generator"]}.`,
  NotRenewable: (v) => `Generator ${v["generator"]} is conventional and never certified.`,
  ExpiryNotAhead: (v) =>
    `A certificate that ends in slot ${v["expirySlot"]} ends before it starts in ${v["fromSlot"]}.`,
  MaintenanceOverdue: (v) =>
    `Maintenance of generator ${v["generator"]} is overdue since slot ${v["dueSlot"]}; record it first.`,
  NotCertified: (v) => `Generator ${v["generator"]} has no certificate in ${slotOf(v)} that could be revoked.`,
  WrongMeter: (v) => `Generator ${v["generator"]} is measured by meter ${v["expected"]}, not by ${v["meter"]}.`,
  SlotsOutOfOrder: (v) =>
    `Generator ${v["generator"]} is counted through slot ${v["issuedThrough"]}; readings from slot ${v["firstSlot"]} on do not follow.`,
  SlotNotProved: (v) =>
    `The reading of ${slotOf(v)} must be proved: only the producer may pass a slot over, and only one without green sales.`,
  NothingToIssue: () => "No generator was given to issue for.",
  WrongSales: (v) => `This is not the list of green sales of ${slotOf(v)}.`,
  SalesLeftOver: (v) => `${v["given"]} lists of green sales were given; ${v["used"]} are needed.`,
  NotHolder: (v) => `${v["caller"]} may not use the certificates of ${v["holder"]}.`,
  NotConsumer: (v) => `Metering point ${v["point"]} does not belong to ${v["holder"]}.`,
  NothingToClaim: () => "No certificate was given to claim.",
  ClaimLengthsDiffer: (v) => `${v["ids"]} certificates came with ${v["values"]} amounts.`,
  SlotOutsideRange: (v) => `${slotOf(v)} lies outside the ${v["slots"]} proved slots from ${v["firstSlot"]} on.`,
  ConsumptionNotMetered: (v) =>
    `The consumption of point ${v["point"]} in ${slotOf(v)} was not measured or not proved.`,
  ConsumptionExceeded: (v) =>
    `Point ${v["point"]} consumed ${v["consumedWh"]} Wh in ${slotOf(v)}; ${v["matchedWh"]} Wh would be matched with it.`,
  EmptySchedule: () => "A schedule of premiums has at least one step.",
  ScheduleNotDegressive: (v) => `Step ${v["step"]} of the premiums does not go further for less.`,
  NothingToPay: (v) => `Generator ${v["generator"]} has nothing unpaid within its cap in month ${v["month"]}.`,
  PoolTooSmall: (v) => `The pool holds ${v["poolNano"]} nano-token; ${v["neededNano"]} are needed.`,
  NothingEarned: (v) => `${v["producer"]} has not earned a whole base unit.`,
  ...consumptionSentences,
  ...storageSentences,
  // OpenZeppelin
  AccessManagedUnauthorized: (v) => `${v["caller"]} does not have the role for this.`,
  AccessManagerUnauthorizedAccount: (v) => `${v["msgsender"]} does not have the role ${v["roleId"]}.`,
  ERC20InsufficientBalance: (v) => `${v["sender"]} has ${v["balance"]} base units; ${v["needed"]} are needed.`,
  ERC20InsufficientAllowance: (v) => `The ledger may take ${v["allowance"]} base units; ${v["needed"]} are needed.`,
  ERC2612ExpiredSignature: (v) => `The permit expired at ${v["deadline"]}.`,
  ERC2612InvalidSigner: (v) => `The permit was signed by ${v["signer"]}, not by ${v["owner"]}.`,
  SafeERC20FailedOperation: (v) => `The token ${v["token"]} refused the transfer.`,
};

/** The sentence of an error; its name and values where there is none. First letter in upper case. */
export const sentenceOf = (name: string, values: Values): string => {
  const sentence = sentences[name]?.(values) ?? plain(name, values);
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
};

/** Whether an error has its own sentence. */
export const hasSentence = (name: string): boolean => name in sentences;

const plain = (name: string, values: Values): string => {
  const list = Object.entries(values).map(([key, value]) => `${key} ${value}`);
  return `${name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()}${list.length ? ` (${list.join(", ")})` : ""}.`;
};
