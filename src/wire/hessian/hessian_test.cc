#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "wire/hessian/reader.h"
#include "wire/hessian/writer.h"

namespace muster::hessian {
namespace {

using namespace std::string_literals;

Value read(std::string_view bytes) {
    auto result = read_value(bytes);
    EXPECT_TRUE(result.has_value()) << to_string(result.error());
    return result ? std::move(result->value) : Value{};
}

Errc refusal(std::string_view bytes, const HessianLimits& limits = {}) {
    const auto result = read_value(bytes, limits);
    EXPECT_FALSE(result.has_value());
    return result ? Errc::internal : result.error().code;
}

std::string utf8_written(std::string_view utf8) {
    std::string out;
    Writer(out).utf8(utf8);
    return out;
}

TEST(HessianText, CountsUtf16UnitsAndSplitsPairs) {
    EXPECT_EQ(utf8_written("\xf0\x9f\x98\x80"), "\x02\xed\xa0\xbd\xed\xb8\x80"s);
    EXPECT_EQ(to_utf8(text_of("a\xf0\x9f\x98\x80z")), "a\xf0\x9f\x98\x80z");
    EXPECT_EQ(utf8_written("h\xc3\xa9"), "\x02h\xc3\xa9"s);
}

TEST(HessianText, KeepsLoneSurrogatesWhereAskedTo) {
    const Text lone{
        "a\xed\xa0\xbd"
        "b\xed\xb8\x80"};
    EXPECT_EQ(to_wtf8(lone), lone.units);
    EXPECT_EQ(text_of(to_wtf8(lone)), lone);
    EXPECT_EQ(to_utf8(lone),
              "a\xef\xbf\xbd"
              "b\xef\xbf\xbd");
}

TEST(HessianText, ReplacesWhatIsNoUtf8) {
    for (const auto* bytes : {"\xff", "\x80", "\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80",
                              "\xf4\x90\x80\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98"}) {
        const Text text = text_of(bytes);
        EXPECT_EQ(text.units.find("\xef\xbf\xbd"), 0U) << bytes;
        EXPECT_EQ(read(utf8_written(bytes)), Value{text});
    }
}

TEST(HessianText, IsCutIntoChunksThatDoNotSplitPairs) {
    const std::string edge = std::string(0x7fff, 'a') + "\xf0\x9f\x98\x80";
    const std::string written = utf8_written(edge);
    EXPECT_EQ(written.substr(0, 3), "s\x7f\xff");
    EXPECT_EQ(written.substr(3 + 0x7fff, 1), "\x02");
    EXPECT_EQ(to_utf8(*read(written).get<Text>()), edge);
    EXPECT_EQ(utf8_written(std::string(0x8000, 'a')).substr(0, 3), "S\x80\0"s);
    EXPECT_EQ(utf8_written(std::string(0x8001, 'a')).substr(0, 3), "s\x80\0"s);
}

TEST(HessianReader, ReadsWideFormsAndAnyChunks) {
    EXPECT_EQ(read("I\0\0\0\x05"s), Value{std::int32_t{5}});
    EXPECT_EQ(read("L\0\0\0\0\0\0\0\x05"s), Value{std::int64_t{5}});
    EXPECT_EQ(read("s\0\x01"
                   "as\0\0S\0\x01"
                   "b"s),
              Value{text_of("ab")});
    EXPECT_EQ(read("b\0\x01"
                   "a\x21"
                   "b"s),
              Value{Binary{"ab"}});
    EXPECT_EQ(read("\x01\xc0\x80"s), Value{Text{"\0"s}});
}

TEST(HessianReader, ReadsListsWhoseLengthIsAbsentOrWrong) {
    const Value expected{List{.items = {Value{std::int32_t{1}}, Value{Null{}}}}};
    EXPECT_EQ(read("V\x91Nz"), expected);
    EXPECT_EQ(read("Vn\x63\x91Nz"), expected);
    EXPECT_EQ(read("Vl\x7f\xff\xff\xff\x91Nz"), expected);
}

TEST(HessianReader, ReadsBeansWrittenAsTypedMaps) {
    const Value value = read(
        "Mt\0\x01"
        "C\x01"
        "a\x91z"s);
    const auto* map = value.get<Map>();
    ASSERT_NE(map, nullptr);
    EXPECT_EQ(map->type->units, "C");
    EXPECT_EQ(map->entries.size(), 1U);
}

TEST(HessianReader, ReadsClassDefinitionsAnywhereBeforeTheirUse) {
    const Value value = read(
        "O\x91"
        "A\x91\x01xO\x91"
        "B\x90VMzo\x91o\x90Tz"s);
    const auto& items = value.get<List>()->items;
    ASSERT_EQ(items.size(), 3U);
    EXPECT_EQ(items[1].get<Object>()->shape->name.units, "B");
    EXPECT_EQ(*items[2].get<Object>()->find("x"), Value{true});
    EXPECT_EQ(items[2].get<Object>()->find("y"), nullptr);
}

TEST(HessianReader, LeavesTrailingBytesAlone) {
    const auto result = read_value("Nxyz");
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->size, 1U);
}

TEST(HessianReader, ResolvesReferencesAlsoToWhatContainsThem) {
    const Value root = read("VMzJ\x01J\x00z"s);
    const RefIndex refs(root);
    const auto& items = root.get<List>()->items;
    EXPECT_EQ(&refs.resolve(items[1]), &items[0]);
    EXPECT_EQ(&refs.resolve(items[2]), &root);
    EXPECT_EQ(&refs.resolve(items[0]), &items[0]);
}

TEST(HessianReader, RefusesWhatIsMalformed) {
    const std::string bad[] = {"",
                               "z",
                               "@",
                               "\x05"
                               "abc",
                               "\x01\x80",
                               "\x01\xf0\x9f\x98\x80",  // four bytes: no UTF-16 unit
                               "\x01\xc3"
                               "a",
                               "S\xff\xff"
                               "a",
                               "s\0\x01"
                               "aN"s,
                               "I\0\0"s,
                               "J\0"s,
                               "VJ\x01z",
                               "Vu\x90z",
                               "v\x90\x90",
                               "o\x90",
                               "O\x8f",
                               "M\x91z",
                               "Mt\0\x05"
                               "abz"s,
                               "O\x91"
                               "A\x91N",
                               "O\x91"
                               "A\x90",
                               "V\x91"};
    for (const auto& bytes : bad) {
        EXPECT_EQ(refusal(bytes), Errc::bad_content) << testing::PrintToString(bytes);
    }
}

TEST(HessianReader, RefusesDeepNesting) {
    EXPECT_EQ(refusal(std::string(1'000'000, 'V')), Errc::too_large);
    EXPECT_EQ(refusal(std::string(1'000'000, 'M')), Errc::too_large);
    EXPECT_EQ(refusal("VVVNzzz", {.depth_max = 2}), Errc::too_large);
    EXPECT_TRUE(read_value("VVNzz", {.depth_max = 2}).has_value());
}

TEST(HessianReader, DoesNotBelieveHugeDeclaredLengths) {
    const std::string typed =
        "VVt\0\x01"
        "Lz"s;
    EXPECT_EQ(refusal(typed + "v\x90I\x7f\xff\xff\xff"), Errc::too_large);
    EXPECT_EQ(refusal(typed + "v\x90I\0\x01\0\0"s), Errc::bad_content);
    EXPECT_EQ(refusal("OI\x7f\xff\xff\xff"
                      "abc"),
              Errc::bad_content);
    EXPECT_EQ(refusal("B\xff\xff"
                      "abc"),
              Errc::bad_content);
}

TEST(HessianReader, RefusesTooManyValuesItemsStringsAndClasses) {
    EXPECT_EQ(refusal("V" + std::string(2'000'000, 'N') + "z"), Errc::too_large);
    EXPECT_EQ(refusal("VNNNz", {.list_items_max = 2}), Errc::too_large);
    EXPECT_EQ(refusal("MNNNNz", {.list_items_max = 1}), Errc::too_large);
    EXPECT_EQ(refusal("VNNNz", {.values_max = 3}), Errc::too_large);
    EXPECT_EQ(refusal("VVzVzz", {.references_max = 2}), Errc::too_large);
    EXPECT_EQ(refusal("\x05"
                      "abcde",
                      {.string_bytes_max = 4}),
              Errc::too_large);
    std::string definitions;
    for (int i = 0; i < 1000; ++i) {
        definitions += "O\x90\x90";
    }
    EXPECT_EQ(refusal(definitions), Errc::too_large);
    EXPECT_EQ(refusal("O\x90I\x7f\xff\xff\xff"), Errc::too_large);
}

TEST(HessianReader, KeepsALongTypeNameOnceHoweverOftenItIsUsed) {
    std::string bomb = "V";
    bomb += "Mt\xff\xff" + std::string(0xffff, 'x') + "z";
    for (int i = 0; i < 100'000; ++i) {
        bomb += "Mu\x90z";
    }
    bomb += "z";
    const Value value = read(bomb);
    const auto& items = value.get<List>()->items;
    ASSERT_EQ(items.size(), 100'001U);
    EXPECT_EQ(items.front().get<Map>()->type, items.back().get<Map>()->type);
}

TEST(HessianWriter, WritesDoublesInTheirShortestForm) {
    for (const double value :
         {0.0, 1.0, -1.0, 127.0, -128.0, 128.0, 32767.0, -32768.0, 32768.0, 0.5, 1e10, 0.1, 1e300,
          std::numeric_limits<double>::infinity(), std::numeric_limits<double>::denorm_min(),
          std::numeric_limits<double>::quiet_NaN(), 3.4028236e38}) {
        std::string out;
        Writer(out).real(value);
        EXPECT_EQ(read(out), Value{Double{value}}) << value;
        EXPECT_LE(out.size(), 9U);
    }
}

TEST(HessianWriter, WritesTheSameBytesDirectlyAndFromATree) {
    const ClassShape shape{.name = {"Box"}, .fields = {{"data"}}};
    const auto type = std::make_shared<Text>(text_of("java.util.LinkedList"));
    std::string direct;
    Writer writer(direct);
    writer.begin_map(nullptr);
    for (const auto* zone : {"a", "b"}) {
        writer.utf8(zone);
        writer.begin_list(type, 2);
        for (const auto* box : {"1", "2"}) {
            writer.begin_object(shape);
            writer.utf8(box);
        }
        writer.end_list();
    }
    writer.end_map();
    const Value tree = read(direct);
    EXPECT_EQ(write_value(tree), direct);
    EXPECT_EQ(tree.get<Map>()->entries.size(), 2U);
}

}  // namespace
}  // namespace muster::hessian
