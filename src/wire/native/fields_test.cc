#include "wire/native/fields.h"

#include <gtest/gtest.h>

#include "muster/v1/client.pb.h"

namespace muster::native {
namespace {

using namespace std::string_view_literals;

TEST(FieldWriter, WritesTheBytesOfProtoc) {
    muster::v1::Publication theirs;
    theirs.set_id("id");
    theirs.set_version(-1);
    theirs.set_timestamp_ms(INT64_MAX);
    theirs.add_boxes("");
    theirs.add_boxes(std::string(300, 'b'));
    theirs.mutable_service()->set_data_id(std::string(127, 'd'));

    std::string ours;
    FieldWriter writer(ours);
    writer.bytes(1, "id");
    writer.sint(2, -1);
    writer.sint(3, INT64_MAX);
    writer.element(4, "");
    writer.element(4, std::string(300, 'b'));
    writer.bytes(5, "");
    writer.varint(6, 0);
    const auto mark = writer.begin(9, 0);
    writer.bytes(3, std::string(127, 'd'));
    writer.end(mark);
    EXPECT_EQ(ours, theirs.SerializeAsString());
}

TEST(FieldWriter, ClosesNestedMessagesWhateverSizeWasExpected) {
    for (const std::size_t expected : {0U, 127U, 128U, 20'000U, 3'000'000U}) {
        for (const std::size_t size : {0U, 100U, 200U, 17'000U}) {
            std::string out = "before";
            FieldWriter writer(out);
            const auto mark = writer.begin(1, expected);
            out.append(size, 'x');
            writer.end(mark);
            FieldReader reader(std::string_view(out).substr(6));
            Field field;
            ASSERT_TRUE(reader.next(field));
            EXPECT_EQ(field.bytes, std::string(size, 'x'));
            EXPECT_FALSE(reader.next(field));
            EXPECT_FALSE(reader.broken());
        }
    }
}

TEST(FieldReader, ReadsEveryWireType) {
    // 1: varint 300, 2: fixed64, 3: bytes "ab", 4: fixed32
    FieldReader reader(
        "\x08\xac\x02\x11\x01\x00\x00\x00\x00\x00\x00\x80\x1a\x02"
        "ab\x25\x02\x00\x00\x00"sv);
    Field field;
    ASSERT_TRUE(reader.next(field));
    EXPECT_EQ(field.number, 1U);
    EXPECT_EQ(field.value, 300U);
    ASSERT_TRUE(reader.next(field));
    EXPECT_EQ(field.value, 0x8000000000000001U);
    ASSERT_TRUE(reader.next(field));
    EXPECT_EQ(field.bytes, "ab");
    ASSERT_TRUE(reader.next(field));
    EXPECT_EQ(field.type, WireType::fixed32);
    EXPECT_EQ(field.value, 2U);
    EXPECT_FALSE(reader.next(field));
    EXPECT_FALSE(reader.broken());
}

TEST(FieldReader, RefusesWhatIsCutOrImpossible) {
    const std::string_view inputs[] = {
        "\x08"sv,                                              // varint missing
        "\x08\x80"sv,                                          // varint cut
        "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv,  // varint of 11 bytes
        "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv,      // 65 bits
        "\x09\x01"sv,                                          // fixed64 cut
        "\x0d\x01"sv,                                          // fixed32 cut
        "\x0a\x05"
        "ab"sv,                                            // bytes cut
        "\x0b\x0c"sv,                                      // group
        "\x00\x00"sv,                                      // field number 0
        "\x0e\x00"sv,                                      // wire type 6
        "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv,  // a length of 2^64-1
    };
    for (const auto input : inputs) {
        FieldReader reader(input);
        for (Field field; reader.next(field);) {
        }
        EXPECT_TRUE(reader.broken()) << testing::PrintToString(input);
    }
}

TEST(Utf8, AcceptsWellFormedTextOnly) {
    for (const auto good :
         {""sv, "plain ascii, long enough"sv, "\0"sv, "gr\xc3\xbc\xc3\x9f"sv,
          "\xed\x9f\xbf\xee\x80\x80"sv, "\xf0\x9f\x98\x80 and \xf4\x8f\xbf\xbf"sv}) {
        EXPECT_TRUE(is_utf8(good)) << testing::PrintToString(good);
    }
    for (const auto bad : {"\x80"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc3"sv, "\xc3("sv,
                           "\xe0\x80\x80"sv, "\xed\xa0\x80"sv, "\xf0\x80\x80\x80"sv,
                           "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "12345678\xff"sv}) {
        EXPECT_FALSE(is_utf8(bad)) << testing::PrintToString(bad);
    }
}

}  // namespace
}  // namespace muster::native
