# Its trap comes when its helper has long been started, and would have to be stopped.
setsid sleep 86400 &
sleep 1
trap 'kill -KILL $!; exit 0' TERM INT
echo ready
wait $!
