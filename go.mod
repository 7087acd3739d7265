module cutaway

go 1.26.8
