# Looks every second whether it was told to stop.
trap 'stop=yes' TERM INT
while [ -z "$stop" ]; do
	sleep 1
done
