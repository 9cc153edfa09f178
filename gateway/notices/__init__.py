"""How notices leave: one module for each kind of channel, and the post that carries them."""
