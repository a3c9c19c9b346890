/** How wide texts of a legend are, so that its columns fit them. */

export type Weight = "400" | "600";

let canvas: CanvasRenderingContext2D | null = null;

/** In pixels, at the size and in the font of legends. */
export function textWidth(text: string, weight: Weight): number {
  canvas ??= document.createElement("canvas").getContext("2d");
  if (!canvas) return 0;
  canvas.font = `${weight} 12px ${getComputedStyle(document.body).fontFamily}`;
  return canvas.measureText(text).width;
}
