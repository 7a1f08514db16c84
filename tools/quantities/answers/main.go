// Prints what k8s.io/apimachinery's resource.Quantity makes of texts, a JSON array a line: [text] for one that it refuses, else
// [text, canonical form, Value(), ScaledValue(Milli), ScaledValue(Kilo), compared with 1Gi]. The texts are the same each time.
// `npm run test:quantities -- --write` keeps it for the test of packages/core.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

var suffixes = []string{
	"", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei",
	"e0", "e3", "E3", "e-3", "e+6", "e9", "e18", "e19", "e-9", "e-10", "e100", "e-100",
	"K", "ki", "mi", "gi", "GI", "B", "GB", "GiB", "b", "i", "e", "E+", "e1.5", "e 3", "ei", "Eii", " Gi", "Gi ", "%", "\n", "µ",
}

var numbers = []string{
	"0", "-0", "+0", "00", "1", "+1", "-1", "01", "007", "9", "10", "12", "100", "999", "1000", "1001", "1023", "1024", "1025", "1536",
	"2047", "2048", "1000000", "1048576", "1073741823", "1073741824", "1073741825", "1000000000", "9007199254740991", "9007199254740993",
	"4611686018427387904", "9223372036854775806", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
	"-9223372036854775807", "-9223372036854775808", "-9223372036854775809", "99999999999999999999", "123456789012345678901234567890",
	".5", "5.", "0.5", "1.5", "-1.5", "+1.5", "0.1", "0.01", "0.001", "0.0001", "0.9999", "1.0", "1.50", "1.23456789", "1.234567891234",
	"0.000000001", "0.0000000001", "0.0000000019", "-0.0000000001", "0.999999999999", "1000.5", "1023.999", "1024.0001", "2.5", "7.75", "8.0",
	"", ".", "-", "+", "-.", "--1", "+-1", "1-", "1+1", "1.2.3", "1,5", "1_000", " 1", "1 ", "0x10", "NaN", "Inf", "１", "٣", "a", "e", "1e", "1e3e3",
}

func texts() []string {
	var all []string
	for _, number := range numbers {
		for _, suffix := range suffixes {
			all = append(all, number+suffix)
		}
	}
	random := rand.New(rand.NewSource(20260101))
	digits := func(most int) string {
		var text strings.Builder
		for length := random.Intn(most + 1); length > 0; length-- {
			text.WriteByte(byte('0' + random.Intn(10)))
		}
		return text.String()
	}
	for count := 0; count < 2500; count++ {
		text := []string{"", "", "", "-", "+"}[random.Intn(5)] + digits(20)
		if random.Intn(2) == 0 {
			text += "." + digits(14)
		}
		all = append(all, text+suffixes[random.Intn(28)])
	}
	const alphabet = "0123456789.+-eEkKmMgGiTPnu "
	for count := 0; count < 1000; count++ {
		var text strings.Builder
		for length := random.Intn(9); length > 0; length-- {
			text.WriteByte(alphabet[random.Intn(len(alphabet))])
		}
		all = append(all, text.String())
	}
	return all
}

func answer(text string) []any {
	quantity, err := resource.ParseQuantity(text)
	if err != nil {
		return []any{text}
	}
	gibibyte := resource.MustParse("1Gi")
	compared := quantity.Cmp(gibibyte)
	scaled := func(scale resource.Scale) string { return fmt.Sprint(quantity.ScaledValue(scale)) }
	value := fmt.Sprint(quantity.Value())
	milli, kilo := scaled(resource.Milli), scaled(resource.Kilo)
	// String() gives back what was parsed in some cases, canonical or not.
	number, suffix := quantity.CanonicalizeBytes(make([]byte, 0, 32))
	return []any{text, string(number) + string(suffix), value, milli, kilo, compared}
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	seen := map[string]bool{}
	for _, text := range texts() {
		if seen[text] {
			continue
		}
		seen[text] = true
		if err := encoder.Encode(answer(text)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
