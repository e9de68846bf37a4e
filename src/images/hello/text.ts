/** What the program in the image `hello` says. The container's name and address are filled in by the
 *  program itself, from what it finds around it. */

/** The parts of the text; between the first three the program writes its hostname and its address. */
export const helloText = {
  beforeHostname: `
Hello from a container. To print this, Berth

 1. found the image "hello" (this one is built in, others are pulled),
 2. created container `,
  beforeAddress: ` from it,
 3. mounted a writable layer over the image's read-only ones,
 4. bridged an interface into it, leased address `,
  end: `,
 5. ran this program as its process 1,
 6. and ends the container now that the program has ended.

Next: berth run -it --rm debian sh

`,
  /** Stands for the address where there is no interface \`eth0\` with one. */
  noAddress: 'none',
} as const
