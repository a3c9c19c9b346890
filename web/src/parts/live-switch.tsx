/** Whether new data comes in by itself, and the switch for it. */

import { hidden, paused, REFRESH_S } from "../state/live";
import { DEFAULT_RANGE, isMoving } from "../state/range";
import { range, setRange } from "../state/view";

export function LiveSwitch() {
  const moving = isMoving(range.value);
  const live = moving && !paused.value && !hidden.value;
  const press = (): void => {
    if (moving) {
      paused.value = !paused.value;
    } else {
      paused.value = false;
      setRange(DEFAULT_RANGE);
    }
  };
  const title = live ? `New data every ${REFRESH_S} seconds; press to pause` : "Press to follow the present";
  return (
    <button type="button" class="live-switch" aria-pressed={live} title={title} onClick={press}>
      <span class={live ? "dot live" : "dot"} />
      {live ? "Live" : moving ? "Paused" : "Fixed"}
    </button>
  );
}
