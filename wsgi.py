"""What servers and the `flask` command look for."""

from service import start

app = start()
