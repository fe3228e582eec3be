"""What goes wrong in a load: what a refusal means, which rows it is about, and the change and command that continue."""
