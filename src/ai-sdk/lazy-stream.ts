/** What a generator gives, as a stream that takes nothing from it before somebody reads: an answer that nobody has asked for can still be written anew. */
export function lazyStream<T>(parts: AsyncGenerator<T, void, undefined>, onCancel: () => Promise<void> | void): ReadableStream<T> {
  return new ReadableStream<T>(
    {
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
}
