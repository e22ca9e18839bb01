package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// change is one edit of one file: the bytes from start to end become text.
type change struct {
	file         string
	line, column int
	start, end   int
	text         string
	what         string // for people
}

// apply returns the changed file.
func (c *change) apply(source []byte) []byte {
	return []byte(string(source[:c.start]) + c.text + string(source[c.end:]))
}

// changesOf are all changes of a package, in the order of its lines.
func changesOf(p listed, files *regexp.Regexp) (all []change, err error) {
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		list, err := changesIn(path, source)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if files.MatchString(name) || files.MatchString(fmt.Sprintf("%s:%d", name, c.line)) {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// finder collects the changes of a file.
type finder struct {
	fset   *token.FileSet
	path   string
	source []byte
	all    []change
	last   map[ast.Stmt]bool // returns that end a function, without which it does not compile
	spared map[ast.Node]bool
}

func changesIn(path string, source []byte) ([]change, error) {
	f := &finder{fset: token.NewFileSet(), path: path, source: source, last: map[ast.Stmt]bool{}, spared: map[ast.Node]bool{}}
	file, err := parser.ParseFile(f.fset, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		f.visit(n)
		return !f.spared[n]
	})
	return f.all, nil
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.offset(n.Pos()):f.offset(n.End())])
}

// brief is a node's first line.
func (f *finder) brief(n ast.Node) string {
	first, rest, more := strings.Cut(f.text(n), "\n")
	if more && strings.TrimSpace(rest) != "" {
		first += " …"
	}
	return strings.TrimSpace(first)
}

// replace has [from, to) become text. At is the place that is named.
func (f *finder) replace(at, from, to token.Pos, text, what string) {
	p := f.fset.Position(at)
	f.all = append(f.all, change{file: f.path, line: p.Line, column: p.Column, start: f.offset(from), end: f.offset(to), text: text, what: what})
}

var swapped = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL,
	token.AND: token.OR, token.OR: token.AND,
	token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN,
	token.OR_ASSIGN: token.AND_ASSIGN, token.AND_ASSIGN: token.OR_ASSIGN,
	token.INC: token.DEC, token.DEC: token.INC,
}

func (f *finder) operator(at token.Pos, op token.Token, in ast.Node) {
	if to, ok := swapped[op]; ok {
		f.replace(at, at, at+token.Pos(len(op.String())), to.String(), fmt.Sprintf("%s → %s in %s", op, to, f.brief(in)))
	}
}

func (f *finder) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.GenDecl:
		if n.Tok == token.IMPORT {
			f.spared[n] = true
		}
	case *ast.FuncDecl:
		f.endOf(n.Body)
	case *ast.FuncLit:
		f.endOf(n.Body)
	case *ast.IfStmt:
		f.negate(n.Cond)
	case *ast.ForStmt:
		if n.Post != nil {
			f.spared[n.Post] = true // without it, the loop does not end
		}
	case *ast.BinaryExpr:
		f.operator(n.OpPos, n.Op, n)
		if one, ok := n.Y.(*ast.BasicLit); ok && (n.Op == token.ADD || n.Op == token.SUB) && one.Kind == token.INT {
			f.replace(n.OpPos, n.X.End(), n.End(), "", fmt.Sprintf("%s → %s", f.brief(n), f.brief(n.X)))
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			f.replace(n.OpPos, n.OpPos, n.OpPos+1, "", fmt.Sprintf("%s → %s", f.brief(n), f.brief(n.X)))
		}
	case *ast.BasicLit:
		f.constant(n)
	case *ast.Ident:
		if other := map[string]string{"true": "false", "false": "true"}[n.Name]; other != "" {
			f.replace(n.Pos(), n.Pos(), n.End(), other, fmt.Sprintf("%s → %s", n.Name, other))
		}
	case *ast.CallExpr:
		if name, ok := n.Fun.(*ast.Ident); ok && len(n.Args) == 2 && (name.Name == "min" || name.Name == "max") {
			for _, arg := range n.Args {
				f.replace(n.Pos(), n.Pos(), n.End(), f.text(arg), fmt.Sprintf("%s → %s", f.brief(n), f.brief(arg)))
			}
		}
	case *ast.BlockStmt:
		f.statements(n.List)
	case *ast.CaseClause:
		f.statements(n.Body)
	case *ast.CommClause:
		f.statements(n.Body)
	}
}

// negate has a condition be the opposite. That of == and != is the operator's.
func (f *finder) negate(cond ast.Expr) {
	switch c := cond.(type) {
	case *ast.BinaryExpr:
		if c.Op == token.EQL || c.Op == token.NEQ {
			return
		}
	case *ast.UnaryExpr:
		if c.Op == token.NOT {
			return
		}
	}
	f.replace(cond.Pos(), cond.Pos(), cond.End(), "!("+f.text(cond)+")", fmt.Sprintf("if %s → if !(…)", f.brief(cond)))
}

// constant is one off.
func (f *finder) constant(n *ast.BasicLit) {
	if n.Kind != token.INT {
		return
	}
	value, err := strconv.ParseInt(n.Value, 0, 64)
	if err != nil {
		return
	}
	more := strconv.FormatInt(value+1, 10)
	if strings.HasPrefix(n.Value, "0x") {
		more = fmt.Sprintf("%#x", value+1)
	}
	f.replace(n.Pos(), n.Pos(), n.End(), more, n.Value+" → "+more)
}

func (f *finder) endOf(body *ast.BlockStmt) {
	if body != nil && len(body.List) > 0 {
		f.last[body.List[len(body.List)-1]] = true
	}
}

// statements leaves out one at a time. What it uses stays used, so that the rest compiles.
func (f *finder) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
			f.operator(s.TokPos, s.Tok, s)
		case *ast.IncDecStmt:
			f.operator(s.TokPos, s.Tok, s)
		case *ast.ReturnStmt:
			if f.last[s] {
				continue
			}
		case *ast.ExprStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt, *ast.BranchStmt:
		default:
			continue
		}
		f.replace(s.Pos(), s.Pos(), s.End(), "if false { "+f.text(s)+" }", "without "+f.brief(s))
	}
}
