/**
 * Rectangles whose areas are as some sizes, as square as can be had in one pass.
 *
 * Bruls, Huizing and van Wijk, "Squarified treemaps", 2000: rows are laid along the shorter side of what is left, and a
 * row takes one more as long as its worst rectangle gets better by that.
 */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A box for each size, in their order; sizes are above 0 and descend. */
export function squarify(sizes: readonly number[], within: Box): Box[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const scale = total > 0 ? (within.width * within.height) / total : 0;
  const areas = sizes.map((size) => size * scale);
  const boxes: Box[] = [];
  let left = within;
  let begin = 0;
  while (begin < areas.length) {
    const side = Math.min(left.width, left.height);
    let end = begin + 1;
    while (end < areas.length && worst(areas.slice(begin, end + 1), side) <= worst(areas.slice(begin, end), side)) end += 1;
    const row = areas.slice(begin, end);
    boxes.push(...lay(row, left));
    left = without(left, row.reduce((sum, area) => sum + area, 0));
    begin = end;
  }
  return boxes;
}

/** The longest ratio of sides in a row along `side`. */
function worst(row: readonly number[], side: number): number {
  const sum = row.reduce((total, area) => total + area, 0);
  const square = sum * sum;
  const along = side * side;
  return Math.max(...row.map((area) => Math.max((along * area) / square, square / (along * area))));
}

function lay(row: readonly number[], left: Box): Box[] {
  const sum = row.reduce((total, area) => total + area, 0);
  const upright = left.width >= left.height;
  const depth = upright ? sum / left.height : sum / left.width;
  let at = upright ? left.y : left.x;
  return row.map((area) => {
    const length = depth > 0 ? area / depth : 0;
    const box = upright ? { x: left.x, y: at, width: depth, height: length } : { x: at, y: left.y, width: length, height: depth };
    at += length;
    return box;
  });
}

function without(left: Box, area: number): Box {
  if (left.width >= left.height) {
    const depth = left.height > 0 ? area / left.height : 0;
    return { ...left, x: left.x + depth, width: Math.max(0, left.width - depth) };
  }
  const depth = left.width > 0 ? area / left.width : 0;
  return { ...left, y: left.y + depth, height: Math.max(0, left.height - depth) };
}
