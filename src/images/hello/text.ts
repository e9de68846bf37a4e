/** The text that the program in the image `hello` prints. The program itself fills in the container's name and
 *  address. */

/** The parts of the text. The program prints its hostname and address between the first three. */
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
