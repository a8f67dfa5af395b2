// A button [data-print] prints the page; what is not for paper is hidden by its style sheet.
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("[data-print]")) window.print();
});
