/** A map of who has how many series: as large as many, as warm as new. A click goes a level down. */

import { useEffect, useRef, useState } from "preact/hooks";

import { formatCount } from "../format/units";
import type { Group } from "./api";
import { squarify } from "./squarify";

const HEIGHT = 320;
const GAP = 2;
const ROOM_FOR_NAME = { width: 44, height: 20 };
const ROOM_FOR_COUNT = 38;

interface Props {
  readonly groups: readonly Group[];
  readonly under: string;
  readonly addressOf: (name: string) => string;
}

export function TreeMap({ groups, under, addressOf }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const watch = new ResizeObserver(() => setWidth(element.clientWidth));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const boxes = width ? squarify(groups.map((one) => one.series), { x: 0, y: 0, width, height: HEIGHT }) : [];
  return (
    <div class="tree-map" ref={place} style={{ height: `${HEIGHT}px` }}>
      {boxes.map((box, i) => {
        const one = groups[i];
        if (!one) return null;
        const style = {
          left: `${box.x}px`,
          top: `${box.y}px`,
          width: `${Math.max(0, box.width - GAP)}px`,
          height: `${Math.max(0, box.height - GAP)}px`,
        };
        const named = box.width > ROOM_FOR_NAME.width && box.height > ROOM_FOR_NAME.height;
        const inner = (
          <>
            {named && <span class="tile-name">{shortOf(one, under)}</span>}
            {named && box.height > ROOM_FOR_COUNT && <span class="tile-count">{formatCount(one.series)}</span>}
          </>
        );
        const props = { class: `tile ${warmth(one)}`, style, title: sentenceOf(one) };
        return one.name !== under && one.values > 0
          ? <a key={one.name} {...props} href={addressOf(one.name)} aria-label={sentenceOf(one)}>{inner}</a>
          : <div key={one.name} {...props}>{inner}</div>;
      })}
    </div>
  );
}

/** How much of it is new. */
export function warmth(one: Group): "calm" | "warm" | "hot" {
  if (one.hour * 10 >= one.series) return "hot";
  return one.day * 10 >= one.series ? "warm" : "calm";
}

export function shortOf(one: Group, under: string): string {
  if (one.name === under) return under ? "(right here)" : one.name;
  return under && one.name.startsWith(`${under}.`) ? one.name.slice(under.length + 1) : one.name;
}

function sentenceOf(one: Group): string {
  const fresh = one.hour ? `, ${formatCount(one.hour)} new in the last hour` : one.day ? `, ${formatCount(one.day)} new today` : "";
  return `${one.name}: ${formatCount(one.series)} series${fresh}, ${formatCount(one.unread)} unread`;
}
