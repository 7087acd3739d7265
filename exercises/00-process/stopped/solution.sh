kill -CONT {{pid}}
