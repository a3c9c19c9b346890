/** What each reason means to whoever sent it, and what he can do. The server's words; a test there looks that none is missing. */

const MEANINGS: Readonly<Record<string, string>> = {
  fields: "not the fields that the protocol has",
  name_empty: "there is no name, or an empty part between two dots",
  name_long: "the name is too long",
  name_bytes: "the name has control characters, or is not UTF-8",
  value: "the value is no number",
  value_not_finite: "the value is infinite or not a number",
  timestamp: "the time is no number; seconds since 1970 are expected",
  line_long: "the line is longer than the listener takes",
  type: "a type that StatsD does not have",
  rate: "a sample rate has to be above 0 and at most 1",
  truncated: "the sender hung up in the middle of it",
  tag: "a tag is not key=value",
  kind: "this name is already a series of another kind; send it under another name",
  future: "its time is too far ahead; is the sender's clock right?",
  past: "its time is before all that is kept; is it in seconds, and the sender's clock right?",
  blocked: "a rule or the page Blocks has this name or this sender",
  series_limit: "there are as many names as store.series_max allows",
  store_full: "the disk does not take it",
  frame: "the frame is not as the protocol has it",
  frame_long: "the frame is longer than the listener takes",
  text: "the value is text",
  encoding: "the body cannot be unpacked or decoded",
  body_long: "the body is longer than the limit",
  signature: "not signed or encrypted as the listener demands",
  undeclared: "its type was not declared, such as in types.db",
  throttled: "the sender brings too many new names; is there a time or an id in them?",
  duplicate: "a batch that was taken before",
  stale: "only says that a series has ended",
  reset: "a difference that does not begin where the last one ended",
  unsupported: "a kind of data that no series can hold",
  unauthorized: "the token is missing or wrong",
  withheld: "blocked, and kept back by the sender",
  unlisted: "not on the list of names that are wanted",
  aggregated: "a rule wants it in aggregates only",
  relayed: "handed on to other servers",
  prefix_limit: "there are as many names below this prefix as its limit allows",
  samples_limit: "the sender sends more samples a second than its limit allows",
};

/** A sentence's beginning for people; empty for a reason that only a newer server knows. */
export function meaningOfReason(reason: string): string {
  return MEANINGS[reason] ?? "";
}
