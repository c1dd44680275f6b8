#include <gtest/gtest.h>

#include "wire/http1/message.h"
#include "wire/http1/request_parser.h"
#include "wire/http1/target.h"

namespace muster::http1 {
namespace {

Request must_parse(RequestParser& parser) {
    auto step = parser.next();
    EXPECT_TRUE(std::holds_alternative<Request>(step));
    return std::holds_alternative<Request>(step) ? std::get<Request>(step) : Request{};
}

Errc error_of(std::string_view bytes, Limits limits = {}) {
    RequestParser parser(limits);
    if (auto appended = parser.append(bytes); !appended) {
        return appended.error().code;
    }
    auto step = parser.next();
    const auto* error = std::get_if<Error>(&step);
    return error != nullptr ? error->code : Errc::internal;
}

TEST(RequestParser, ReadsBytesOneByOne) {
    constexpr std::string_view kBytes =
        "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    RequestParser parser;
    for (std::size_t i = 0; i + 1 < kBytes.size(); ++i) {
        ASSERT_TRUE(parser.append(kBytes.substr(i, 1)));
        ASSERT_TRUE(std::holds_alternative<NeedMore>(parser.next())) << i;
    }
    EXPECT_TRUE(parser.in_body());
    ASSERT_TRUE(parser.append("o"));
    const Request request = must_parse(parser);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/a?b=c");
    EXPECT_EQ(request.body, "hello");
    EXPECT_EQ(request.header("HOST"), "x");
    EXPECT_TRUE(request.keep_alive);
    EXPECT_FALSE(parser.in_message());
}

TEST(RequestParser, ReadsPipelinedRequestsInOrder) {
    RequestParser parser;
    ASSERT_TRUE(
        parser.append("\r\nGET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.0\r\n\r\nGET /3"));
    EXPECT_EQ(must_parse(parser).target, "/1");
    const Request second = must_parse(parser);
    EXPECT_EQ(second.target, "/2");
    EXPECT_FALSE(second.keep_alive);
    EXPECT_TRUE(std::holds_alternative<NeedMore>(parser.next()));
    EXPECT_TRUE(parser.in_message());
}

TEST(RequestParser, JoinsChunks) {
    RequestParser parser;
    ASSERT_TRUE(
        parser.append("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n2;note=x\r\nde\r\n0\r\n\r\nGET / HTTP/1.1\r\n"));
    EXPECT_EQ(must_parse(parser).body, "abcde");
}

TEST(RequestParser, ReadsChunksByteByByte) {
    constexpr std::string_view kBytes =
        "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
    RequestParser parser;
    for (std::size_t i = 0; i + 1 < kBytes.size(); ++i) {
        ASSERT_TRUE(parser.append(kBytes.substr(i, 1)));
        ASSERT_TRUE(std::holds_alternative<NeedMore>(parser.next())) << i;
    }
    ASSERT_TRUE(parser.append("\n"));
    EXPECT_EQ(must_parse(parser).body, "a");
}

TEST(RequestParser, LeavesTrailersOutOfTheHead) {
    RequestParser parser;
    ASSERT_TRUE(
        parser.append("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "0\r\nHost: y\r\nConnection: close\r\n\r\n"));
    const Request request = must_parse(parser);
    EXPECT_EQ(request.headers.size(), 2U);
    EXPECT_TRUE(request.keep_alive);
}

TEST(RequestParser, TellsThatAClientAwaitsContinue) {
    RequestParser parser;
    ASSERT_TRUE(parser.append(
        "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n"));
    EXPECT_TRUE(std::holds_alternative<NeedMore>(parser.next()));
    EXPECT_TRUE(parser.awaits_continue());
    ASSERT_TRUE(parser.append("b"));
    EXPECT_EQ(must_parse(parser).body, "b");
    EXPECT_FALSE(parser.awaits_continue());
}

TEST(RequestParser, RefusesWhatIsNoHttp) {
    for (const auto* bytes : {"\x01\x01\x02\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
                              "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
                              "GET / HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n"}) {
        EXPECT_EQ(error_of(bytes), Errc::bad_frame) << bytes;
    }
}

TEST(RequestParser, RefusesWhatTwoServersMayReadDifferently) {
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
    for (const auto* fields :
         {"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
          "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
          "Transfer-Encoding: gzip\r\n\r\nx", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
          "Host: y\r\n\r\n", "Content-Length: -1\r\n\r\n", "Content-Length: 1x\r\n\r\na"}) {
        EXPECT_EQ(error_of(head + fields), Errc::bad_frame) << fields;
    }
    EXPECT_EQ(error_of("GET / HTTP/1.1\r\n\r\n"), Errc::bad_frame);
    EXPECT_EQ(error_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
              Errc::bad_frame);
}

TEST(RequestParser, KeepsToItsLimits) {
    const Limits limits{.request_line_bytes_max = 64,
                        .header_bytes_max = 256,
                        .body_bytes_max = 16,
                        .ahead_bytes_max = 256};
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
    EXPECT_EQ(error_of("GET /" + std::string(64, 'a'), limits), Errc::too_large);
    EXPECT_EQ(error_of(head + "A: " + std::string(300, 'a'), limits), Errc::too_large);
    EXPECT_EQ(error_of(head + "Content-Length: 17\r\n\r\n", limits), Errc::too_large);
    EXPECT_EQ(
        error_of(head + "Transfer-Encoding: chunked\r\n\r\n11\r\n" + std::string(17, 'a'), limits),
        Errc::too_large);
    EXPECT_EQ(error_of(std::string(600, 'a'), limits), Errc::too_large);
}

TEST(RequestParser, RemembersItsError) {
    RequestParser parser;
    ASSERT_TRUE(parser.append("nonsense\r\n\r\n"));
    ASSERT_TRUE(std::holds_alternative<Error>(parser.next()));
    EXPECT_FALSE(parser.append("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_TRUE(std::holds_alternative<Error>(parser.next()));
}

TEST(Response, IsWrittenWhole) {
    const Response response{
        .status = 404, .content_type = "text/plain", .body = "no", .headers = {{"X-A", "b\r\nc"}}};
    EXPECT_EQ(write_response(response, {.keep_alive = false, .date = {784111777000}}),
              "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Content-Type: text/plain\r\nX-A: b  c\r\nContent-Length: 2\r\n"
              "Connection: close\r\n\r\nno");
}

TEST(Response, ToHeadHasLengthButNoBody) {
    const auto bytes =
        write_response({.content_type = "text/plain", .body = "12345"}, {.head_only = true});
    EXPECT_NE(bytes.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_TRUE(bytes.ends_with("\r\n\r\n"));
}

TEST(Response, OfAStreamEndsWithTheConnection) {
    const auto bytes = write_stream_head({.content_type = "text/event-stream"}, {});
    EXPECT_EQ(bytes.find("Content-Length"), std::string::npos);
    EXPECT_NE(bytes.find("Connection: close\r\n"), std::string::npos);
}

TEST(Target, IsSplitAndDecoded) {
    const auto target = split_target("http://h:1/a%2Fb/c?x=1&y=%20#f");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->path, "/a%2Fb/c");
    EXPECT_EQ(*split_path(target->path), (std::vector<std::string>{"a/b", "c"}));
    const auto query = Query::parse(target->query);
    ASSERT_TRUE(query);
    EXPECT_EQ(query->get("y"), " ");
    EXPECT_EQ(query->get("z"), std::nullopt);
    EXPECT_FALSE(split_target("*"));
    EXPECT_FALSE(split_target(""));
    EXPECT_EQ(split_target("/a?u=http://b")->path, "/a");
}

TEST(Target, RefusesBrokenEscapes) {
    for (const auto* text : {"%", "a%2", "%zz", "%00"}) {
        EXPECT_FALSE(percent_decode(text)) << text;
        EXPECT_FALSE(Query::parse(std::string("a=") + text)) << text;
    }
    EXPECT_EQ(percent_decode("%e4%BD%a0"), "\xe4\xbd\xa0");
    EXPECT_EQ(percent_encode("a/\xe4"), "a%2F%E4");
}

TEST(Target, ReadsQueriesOfClientsThatDoNotEncode) {
    const auto query = Query::parse_leniently(
        "instanceId=null&zone=ZONE_A&&dataCenter=100%&appName=a+b=c&env=\xe4\xbd\xa0&flag");
    EXPECT_EQ(query.get("zone"), "ZONE_A");
    EXPECT_EQ(query.get("dataCenter"), "100%");
    EXPECT_EQ(query.get("appName"), "a+b=c");
    EXPECT_EQ(query.get("env"), "\xe4\xbd\xa0");
    EXPECT_EQ(query.get("flag"), "");
}

TEST(Target, BoundsTheNumberOfParameters) {
    std::string text;
    for (int i = 0; i < 100; ++i) {
        text += "a" + std::to_string(i) + "=1&";
    }
    EXPECT_FALSE(Query::parse(text));
    EXPECT_EQ(Query::parse_leniently(text).items().size(), 64U);
}

}  // namespace
}  // namespace muster::http1
