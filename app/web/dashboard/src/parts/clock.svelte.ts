// The time of day, a second apart, for ages that grow while one looks.
export const clock = $state({ now: Date.now() });

setInterval(() => {
  if (!document.hidden) clock.now = Date.now();
}, 1000);
