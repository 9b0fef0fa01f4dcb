"""`radvigil demo`: a simulated hospital in real time, its worker, and what a person sees of it."""
