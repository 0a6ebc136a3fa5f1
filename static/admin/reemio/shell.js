// Tips stand beside their mark and within the window, and close on Escape. Forms drop their empty fields. On a phone,
// filters that say nothing special are folded away.

function place(tip) {
  const mark = tip.querySelector(".tip-mark").getBoundingClientRect();
  const text = tip.querySelector(".tip-text");
  const { width, height } = text.getBoundingClientRect();
  const left = Math.min(Math.max(mark.left + mark.width / 2 - width / 2, 12), innerWidth - width - 12);
  const below = mark.bottom + 8 + height < innerHeight;
  text.style.left = `${left}px`;
  text.style.top = `${below ? mark.bottom + 8 : mark.top - height - 8}px`;
}

for (const tip of document.querySelectorAll(".tip")) {
  for (const event of ["mouseenter", "focusin"]) {
    tip.addEventListener(event, () => { tip.classList.remove("closed"); place(tip); });
  }
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelectorAll(".tip").forEach((tip) => tip.classList.add("closed"));
});

for (const form of document.querySelectorAll("form.filters, form.ask[method=get]")) {
  const first = Object.fromEntries([...form.querySelectorAll("input[type=date]")].map((one) => [one.name, one.value]));
  form.addEventListener("submit", () => {
    const dates = [...form.querySelectorAll("input[type=date]")];
    const moved = dates.some((one) => one.value !== first[one.name]);
    const custom = new URLSearchParams(location.search).has("from");
    for (const one of form.elements) {
      if (one.value === "" && one.name) one.disabled = true;
    }
    if (dates.length && !moved && !custom) {
      dates.forEach((one) => { one.disabled = true; });
      const days = new URLSearchParams(location.search).get("days");
      if (days) {
        const kept = Object.assign(document.createElement("input"), { type: "hidden", name: "days", value: days });
        form.append(kept);
      }
    }
  });
}
const phone = matchMedia("(max-width: 767px)");
for (const form of document.querySelectorAll("form.filters.foldable")) {
  const button = form.querySelector(".unfold");
  if (!button) continue;
  const fold = (folded) => {
    form.classList.toggle("folded", folded);
    button.setAttribute("aria-expanded", String(!folded));
  };
  const adapt = () => { button.hidden = !phone.matches; fold(phone.matches); };
  button.addEventListener("click", () => fold(!form.classList.contains("folded")));
  phone.addEventListener("change", adapt);
  adapt();
}
addEventListener("pageshow", () => {
  for (const one of document.querySelectorAll("form.filters :disabled, form.ask :disabled")) one.disabled = false;
});
