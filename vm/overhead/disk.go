package overhead

import "context"

var disk = experiment{group: "disk", subjects: func(ctx context.Context, b *bench, all []Contender) ([]subject, []Absent) { return nil, nil }}
