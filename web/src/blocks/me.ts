/** Who sits here, as he said last: it goes into the audit trail. */

const KEY = "tallystick.who";

export function me(): string {
  return localStorage.getItem(KEY) ?? "";
}

export function callMe(name: string): void {
  localStorage.setItem(KEY, name);
}
