"""What the vassal process starts. Python compiles this file at every start and keeps only what it imports: so it is short."""
import os
import sys

import tsgi_loader

if __name__ == "__main__":
    status = tsgi_loader.main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
