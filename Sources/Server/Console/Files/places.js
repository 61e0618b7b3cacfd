// Addresses of views, behind the #: `#/gallery/view/part?name=value`. A gallery is always named, so links can be passed on.

const slot = "triptych.gallery";
const parts = () => location.hash.replace(/^#\/?/, "");

export const remembered = () => sessionStorage.getItem(slot) ?? "";
export const rememberGallery = (name) => sessionStorage.setItem(slot, name);

/** Where the reader is. */
export function place() {
  const [path, query = ""] = parts().split("?");
  const [gallery = "", view = "", ...rest] = path.split("/").map(decodeURIComponent);
  const named = gallery === "-" ? "" : gallery;
  return { gallery: named || remembered(), view: view || "query", rest, query: new URLSearchParams(query) };
}

/** The address of a view of this gallery. */
export function address(view, rest = [], gallery = place().gallery, query = {}) {
  const path = [gallery || "-", view, ...rest].map(encodeURIComponent).join("/");
  const text = new URLSearchParams(query).toString();
  return `#/${path}${text ? `?${text}` : ""}`;
}
