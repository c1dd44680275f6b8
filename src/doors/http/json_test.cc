#include <gtest/gtest.h>

#include "doors/http/json_body.h"
#include "doors/http/json_writer.h"

namespace muster::http {
namespace {

std::string written(std::string_view text) {
    JsonWriter json;
    json.value(text);
    return std::move(json).take();
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
    JsonWriter json;
    json.begin_object().field("a", 1).key("b").begin_array().value(true).value("x");
    json.begin_object().end_object().begin_array().end_array().end_array();
    json.field("c", std::int64_t{-5}).field("d", std::string("e")).end_object();
    EXPECT_EQ(std::move(json).take(), R"({"a":1,"b":[true,"x",{},[]],"c":-5,"d":"e"})");
}

TEST(JsonWriter, EscapesWhatJsonForbids) {
    EXPECT_EQ(written("a\"b\\c\n\r\t\x01\x7f/"), R"("a\"b\\c\n\r\t\u0001\u007f/")");
    EXPECT_EQ(written(""), R"("")");
}

TEST(JsonWriter, KeepsUtf8AndReplacesWhatIsNone) {
    const std::string text = "\xc3\xa9 \xe4\xbd\xa0 \xf0\x9f\x98\x80";
    EXPECT_EQ(written(text), '"' + text + '"');
    EXPECT_EQ(written("\xff"), R"("\ufffd")");
    EXPECT_EQ(written("\xc0\x80"), R"("\ufffd\ufffd")");            // overlong
    EXPECT_EQ(written("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");  // surrogate
    EXPECT_EQ(written("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
    EXPECT_EQ(written("\xe4\xbd"), R"("\ufffd\ufffd")");  // cut
    EXPECT_EQ(written("\xe0\x80\x80"), R"("\ufffd\ufffd\ufffd")");
    EXPECT_EQ(written("\xf0\x80\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
}

TEST(InstanceBody, HasDefaults) {
    const auto body = read_instance_body(R"( {"ip":"::1","port":80} )");
    ASSERT_TRUE(body);
    EXPECT_EQ(body->boxes, std::vector<std::string>{"[::1]:80"});
    EXPECT_EQ(body->zone, kDefaultZone);
    EXPECT_EQ(body->ttl, std::chrono::seconds(15));
}

}  // namespace
}  // namespace muster::http
