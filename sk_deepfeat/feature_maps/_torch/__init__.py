"""Everything that imports torch, skorch or torchvision; imported only inside fit and transform."""
