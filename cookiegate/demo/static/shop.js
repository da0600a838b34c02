// The shop's own script: it keeps the sum beside the quantity right.
const sum = document.querySelector("[data-sum]");
const quantity = document.querySelector("input[name=quantity]");

if (sum && quantity) {
  const show = () => {
    const count = Math.min(Math.max(quantity.valueAsNumber || 1, 1), 20);
    sum.textContent = "₩" + (count * Number(sum.dataset.sum)).toLocaleString("en");
  };
  quantity.addEventListener("input", show);
  show();
}
