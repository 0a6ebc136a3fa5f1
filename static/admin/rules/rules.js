/* The form of a merchandising rule: shows what the action needs, and puts the preview into the page. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const action = document.getElementById("id_action");
  const button = document.getElementById("rule-preview-button");
  if (!action) return;

  const onlyFor = { position: "pin", factor: "boost" };
  const showWhatCounts = () => {
    for (const [field, wanted] of Object.entries(onlyFor)) {
      const row = document.querySelector(`.field-${field}`);
      if (row) row.hidden = action.value !== wanted;
    }
  };
  action.addEventListener("change", showWhatCounts);
  showWhatCounts();

  const placement = document.getElementById("id_preview_placement");
  const products = document.getElementById("id_preview_products");
  if (!button || !placement || !products) return;
  const showWhatIsAsked = () => {
    products.parentElement.hidden = placement.value === "homepage";
  };
  placement.addEventListener("change", showWhatIsAsked);
  showWhatIsAsked();

  button.addEventListener("click", async (event) => {
    event.preventDefault();
    const place = document.getElementById("rule-effect");
    button.disabled = true;
    try {
      const answer = await fetch(button.formAction, {
        method: "POST",
        body: new FormData(button.form),
        headers: { "X-Requested-With": "reemio-preview" },
      });
      place.innerHTML = answer.ok ? await answer.text() : "<p>The preview could not be made. Is your session over?</p>";
    } catch {
      place.innerHTML = "<p>The server did not answer.</p>";
    } finally {
      button.disabled = false;
    }
  });
});
