package main

// sysBPF is younger than the syscall package's frozen list of numbers.
const sysBPF = 321
