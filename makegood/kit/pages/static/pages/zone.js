// Tells the shop in which zone its visitor reads times. Without this the shop's own zone is named beside them.
const told = Intl.DateTimeFormat().resolvedOptions().timeZone;
const written = () => document.cookie.split("; ").includes(`makegood-zone=${told}`);

if (told && !written()) {
  const secure = window.location.protocol === "https:" ? "; secure" : "";
  document.cookie = `makegood-zone=${told}; path=/; max-age=31536000; samesite=lax${secure}`;
  // The page that is open still says times in the shop's zone: once more, where nothing was typed or chosen yet.
  const untouched = ![...document.querySelectorAll("main textarea, main input:not([type=hidden])")].some(
    (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked,
  );
  if (written() && untouched && document.querySelector("main time") && !document.querySelector("#refusal")) {
    window.location.reload();
  }
}
