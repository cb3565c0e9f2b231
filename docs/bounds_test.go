package docs_test

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// bound is a number in the code that may be a limit.
type bound struct {
	name     string // package and constant, such as api.MaxBody
	value    float64
	duration bool   // value is in nanoseconds
	doc      string // the first sentence of its comment
}

// unnamed is a limit that is a literal number in the code.
type unnamed struct{ place, name string }

// bounds returns the bounds in the code:
//   - package-level constants and variables that are numbers of 10 or more, durations, or
//     have the name of a limit, also as elements of structs and maps;
//   - constants in functions that have the name of a limit;
//   - default durations of the command line.
//
// It also returns the fields with the name of a limit that are set to a literal number.
func bounds(t *testing.T) (all []bound, bare []unnamed) {
	t.Helper()
	code := readCode(t, "..")
	for _, f := range code.files {
		all = append(all, code.declared(f)...)
		bare = append(bare, code.bare(f)...)
	}
	slices.SortFunc(all, func(a, b bound) int { return cmp.Compare(a.name, b.name) })
	return all, bare
}

var (
	limitName = regexp.MustCompile(`^([mM]ax[A-Z0-9].*|most|longest.*|.*(Timeout|Limit|Life|Every|Concurrency|Attempts|Patience|Pause))$`)
	fieldName = regexp.MustCompile(`^(Max[A-Z].*|.*Timeout|Concurrency)$`)
)

// code is the parsed source of the module.
type code struct {
	fset   *token.FileSet
	files  []*ast.File
	consts map[string]ast.Expr // by package and name
}

// readCode parses the module, except tests and test helpers.
func readCode(t *testing.T, root string) *code {
	t.Helper()
	c := &code{fset: token.NewFileSet(), consts: map[string]ast.Expr{}}
	forTests := regexp.MustCompile(`^(bench|tools|testdata|\..+|(db|pg|redis|server)test)$`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && forTests.MatchString(d.Name()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(c.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err == nil {
			c.files = append(c.files, f)
		}
		return err
	})
	if err != nil || len(c.files) < 100 {
		t.Fatalf("%d files were parsed, want at least 100 (%v)", len(c.files), err)
	}
	for _, f := range c.files {
		eachValue(f, func(_ *ast.GenDecl, _ *ast.ValueSpec, name string, value ast.Expr) {
			c.consts[f.Name.Name+"."+name] = value
		})
	}
	return c
}

// eachValue calls fn for each package-level constant and variable of a file.
func eachValue(f *ast.File, fn func(d *ast.GenDecl, s *ast.ValueSpec, name string, value ast.Expr)) {
	for _, decl := range f.Decls {
		if d, ok := decl.(*ast.GenDecl); ok {
			eachValueOf(d, fn)
		}
	}
}

func eachValueOf(d *ast.GenDecl, fn func(d *ast.GenDecl, s *ast.ValueSpec, name string, value ast.Expr)) {
	for _, spec := range d.Specs {
		s, ok := spec.(*ast.ValueSpec)
		if !ok || len(s.Values) != len(s.Names) {
			continue
		}
		for i, name := range s.Names {
			fn(d, s, name.Name, s.Values[i])
		}
	}
}

func (c *code) declared(f *ast.File) (all []bound) {
	pkg := f.Name.Name
	eachValue(f, func(d *ast.GenDecl, s *ast.ValueSpec, name string, value ast.Expr) {
		all = append(all, c.oneOrMany(pkg, name, docOf(d, s), value)...)
	})
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			all = append(all, c.inFunction(pkg, d)...)
		case *ast.GenDecl:
			all = append(all, defaults(pkg, d)...)
		}
	}
	return all
}

// oneOrMany returns a constant, or the elements of a struct or map.
func (c *code) oneOrMany(pkg, name, doc string, value ast.Expr) (all []bound) {
	literal, many := value.(*ast.CompositeLit)
	if !many {
		if b, ok := c.bound(pkg, name, value); ok && (b.duration || b.value >= 10 || limitName.MatchString(name)) {
			b.doc = doc
			all = append(all, b)
		}
		return all
	}
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return nil
		}
		var key string
		switch k := pair.Key.(type) {
		case *ast.Ident:
			key = k.Name
		case *ast.BasicLit:
			key = strings.Trim(k.Value, `"`)
		}
		if b, ok := c.bound(pkg, name+"."+key, pair.Value); ok && key != "" && (b.duration || b.value >= 2) {
			b.doc = doc
			all = append(all, b)
		}
	}
	return all
}

// inFunction returns the constants in a function that have the name of a limit.
func (c *code) inFunction(pkg string, f *ast.FuncDecl) (all []bound) {
	ast.Inspect(f, func(n ast.Node) bool {
		if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.CONST {
			eachValueOf(d, func(d *ast.GenDecl, s *ast.ValueSpec, name string, value ast.Expr) {
				if b, ok := c.bound(pkg, f.Name.Name+"."+name, value); ok && limitName.MatchString(name) {
					b.doc = docOf(d, s)
					all = append(all, b)
				}
			})
		}
		return true
	})
	return all
}

// defaults returns the default durations of a command's flags.
func defaults(pkg string, d *ast.GenDecl) (all []bound) {
	tag := regexp.MustCompile(`default:"([^"]*)".*help:"([^"]*)"`)
	for _, spec := range d.Specs {
		s, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		fields, ok := s.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, field := range fields.Fields.List {
			if field.Tag == nil || len(field.Names) == 0 {
				continue
			}
			m := tag.FindStringSubmatch(field.Tag.Value)
			if m == nil {
				continue
			}
			if v, err := time.ParseDuration(m[1]); err == nil {
				all = append(all, bound{pkg + "." + s.Name.Name + "." + field.Names[0].Name, float64(v), true, m[2]})
			}
		}
	}
	return all
}

// bare returns the fields with the name of a limit that are set to a literal number.
func (c *code) bare(f *ast.File) (all []unnamed) {
	pkg := f.Name.Name
	note := func(name string, value ast.Expr) {
		number := false
		ast.Inspect(value, func(n ast.Node) bool {
			_, literal := n.(*ast.BasicLit)
			number = number || literal
			return true
		})
		unit, isUnit := value.(*ast.SelectorExpr)
		number = number || isUnit && isName(unit.X, "time")
		if b, ok := c.bound(pkg, name, value); ok && number && (b.duration || b.value >= 2) && fieldName.MatchString(name) {
			all = append(all, unnamed{c.fset.Position(value.Pos()).String(), name})
		}
	}
	for _, decl := range f.Decls {
		if d, ok := decl.(*ast.FuncDecl); ok {
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.KeyValueExpr:
					if key, ok := n.Key.(*ast.Ident); ok {
						note(key.Name, n.Value)
					}
				case *ast.AssignStmt:
					for i := range min(len(n.Lhs), len(n.Rhs)) {
						if field, ok := n.Lhs[i].(*ast.SelectorExpr); ok {
							note(field.Sel.Name, n.Rhs[i])
						}
					}
				}
				return true
			})
		}
	}
	return all
}

func (c *code) bound(pkg, name string, value ast.Expr) (b bound, ok bool) {
	if text, isText := value.(*ast.BasicLit); isText && text.Kind == token.STRING {
		d, err := time.ParseDuration(strings.Trim(text.Value, `"`))
		return bound{name: pkg + "." + name, value: float64(d), duration: true}, err == nil
	}
	v, duration, ok := c.eval(pkg, value)
	if !ok {
		return b, false
	}
	number, _ := constant.Float64Val(constant.ToFloat(v))
	if strings.HasSuffix(name, "KiB") {
		number *= 1024
	}
	return bound{name: pkg + "." + name, value: number, duration: duration}, number >= 0
}

// units are the constants of other packages that occur in bounds.
var units = map[string]int64{
	"time.Nanosecond": 1, "time.Microsecond": int64(time.Microsecond), "time.Millisecond": int64(time.Millisecond),
	"time.Second": int64(time.Second), "time.Minute": int64(time.Minute), "time.Hour": int64(time.Hour),
}

// eval evaluates a constant expression. It supports the kinds of expressions that occur in
// bounds.
func (c *code) eval(pkg string, e ast.Expr) (v constant.Value, duration, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		v = constant.MakeFromLiteral(e.Value, e.Kind, 0)
		return v, false, v.Kind() == constant.Int || v.Kind() == constant.Float
	case *ast.ParenExpr:
		return c.eval(pkg, e.X)
	case *ast.Ident:
		return c.named(pkg, e.Name)
	case *ast.SelectorExpr:
		if from, isName := e.X.(*ast.Ident); isName {
			return c.named(from.Name, e.Sel.Name)
		}
	case *ast.CallExpr: // a conversion, such as time.Duration or decimal.NewFromInt
		to, isSelector := e.Fun.(*ast.SelectorExpr)
		_, isName := e.Fun.(*ast.Ident)
		if len(e.Args) != 1 || !isName && (!isSelector || !slices.Contains([]string{"Duration", "NewFromInt"}, to.Sel.Name)) {
			return nil, false, false
		}
		v, duration, ok = c.eval(pkg, e.Args[0])
		return v, duration || isSelector && to.Sel.Name == "Duration", ok
	case *ast.BinaryExpr:
		return c.binary(pkg, e)
	}
	return nil, false, false
}

func (c *code) named(pkg, name string) (v constant.Value, duration, ok bool) {
	if unit, isUnit := units[pkg+"."+name]; isUnit {
		return constant.MakeInt64(unit), true, true
	}
	value, known := c.consts[pkg+"."+name]
	if !known {
		return nil, false, false
	}
	return c.eval(pkg, value)
}

func (c *code) binary(pkg string, e *ast.BinaryExpr) (v constant.Value, duration, ok bool) {
	x, dx, okX := c.eval(pkg, e.X)
	y, dy, okY := c.eval(pkg, e.Y)
	if !okX || !okY {
		return nil, false, false
	}
	switch e.Op {
	case token.SHL, token.SHR:
		n, _ := constant.Uint64Val(y)
		return constant.Shift(x, e.Op, uint(n)), dx, true
	case token.QUO:
		if x.Kind() == constant.Int && y.Kind() == constant.Int {
			return constant.BinaryOp(x, token.QUO_ASSIGN, y), dx && !dy, true
		}
	case token.ADD, token.SUB, token.MUL:
	default:
		return nil, false, false
	}
	return constant.BinaryOp(x, e.Op, y), dx || dy, true
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// docOf returns the first sentence of a constant's comment.
func docOf(d *ast.GenDecl, s *ast.ValueSpec) string {
	for _, group := range []*ast.CommentGroup{s.Doc, s.Comment, d.Doc} {
		if group == nil {
			continue
		}
		text := strings.Join(strings.Fields(group.Text()), " ")
		if sentence, _, found := strings.Cut(text, ". "); found {
			text = sentence + "."
		}
		return text
	}
	return strconv.Quote("(no comment)")
}
