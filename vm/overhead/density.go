package overhead

import "context"

var density = experiment{group: "density", subjects: func(ctx context.Context, b *bench, all []Contender) ([]subject, []Absent) { return nil, nil }}
