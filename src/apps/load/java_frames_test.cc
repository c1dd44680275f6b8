#include "apps/load/java_frames.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "wire/bolt/frame_decoder.h"
#include "wire/golden/golden_vectors.h"
#include "wire/hessian/reader.h"
#include "wire/hessian/writer.h"

namespace muster::load {
namespace {

const Service kService{.tenant = "t", .group = "g", .data_id = "d"};

// A frame of an unmodified client or server in Java.
class Java {
public:
    explicit Java(const std::string& name) {
        auto read = golden::read_vector(golden::folder(MUSTER_SOURCE_ROOT), name);
        EXPECT_TRUE(read.has_value()) << name;
        vector_ = std::move(*read);
        const auto decoded = bolt::decode_frame(vector_.bytes, {});
        EXPECT_EQ(decoded.outcome, bolt::Decode::message);
        frame = decoded.frame;
    }
    bolt::Frame frame;

private:
    golden::Vector vector_;
};

hessian::Object object_in(std::string_view content) {
    auto read = hessian::read_value(content);
    EXPECT_TRUE(read.has_value());
    const auto* object = read->value.get<hessian::Object>();
    EXPECT_NE(object, nullptr);
    return *object;
}

std::string text(const hessian::Object& object, std::string_view field) {
    const hessian::Value* value = object.find(field);
    const auto* said = value == nullptr ? nullptr : value->get<hessian::Text>();
    return said == nullptr ? "(none)" : hessian::to_utf8(*said);
}

TEST(JavaFrames, RegisterAsTheJavaClientDoes) {
    const std::string bytes =
        java_publisher({.service = kService,
                        .id = "id-1",
                        .order = {.version = 3, .timestamp_ms = 1'700'000'000'123},
                        .request = 9},
                       {"box-1", "box-2"});
    const auto ours = bolt::decode_frame(bytes, {});
    ASSERT_EQ(ours.outcome, bolt::Decode::message);
    const Java theirs("v542-pub-register-basic");
    EXPECT_EQ(ours.frame.class_name, theirs.frame.class_name);
    EXPECT_EQ(ours.frame.head.codec, theirs.frame.head.codec);
    EXPECT_EQ(ours.frame.head.timeout_ms, theirs.frame.head.timeout_ms);
    EXPECT_EQ(ours.frame.head.request_id, 9);
    const hessian::Object object = object_in(ours.frame.content);
    EXPECT_EQ(*object.shape, *object_in(theirs.frame.content).shape);
    EXPECT_EQ(text(object, "dataId"), "d");
    EXPECT_EQ(text(object, "group"), "g");
    EXPECT_EQ(text(object, "instanceId"), "t");
    EXPECT_EQ(text(object, "registId"), "id-1");
    EXPECT_EQ(text(object, "eventType"), "REGISTER");
    EXPECT_EQ(object.find("dataList")->get<hessian::List>()->items.size(), 2U);
}

TEST(JavaFrames, LeaveAndSubscribeAsTheJavaClientDoes) {
    const JavaState leaves{
        .service = kService, .id = "id-1", .order = {.version = 4}, .leaves = true};
    const std::string left = java_publisher(leaves, {});
    const hessian::Object gone = object_in(bolt::decode_frame(left, {}).frame.content);
    EXPECT_EQ(*gone.shape, *object_in(Java("v542-pub-unregister").frame.content).shape);
    EXPECT_EQ(text(gone, "eventType"), "UNREGISTER");
    EXPECT_NE(gone.find("dataList")->get<hessian::Null>(), nullptr);

    const std::string wish = java_subscriber(
        {.service = kService, .id = "id-2", .order = {.version = 1}}, Scope::data_center);
    const auto ours = bolt::decode_frame(wish, {});
    EXPECT_EQ(*object_in(ours.frame.content).shape,
              *object_in(Java("v542-sub-register-dataCenter").frame.content).shape);
    EXPECT_EQ(text(object_in(ours.frame.content), "scope"), "dataCenter");
}

TEST(JavaFrames, ReadPushesAndAnswersOfTheJavaServer) {
    const Java push("v542-push-data-basic");
    ASSERT_TRUE(is_java_push(push.frame));
    const auto told = java_push(push.frame);
    ASSERT_TRUE(told.has_value()) << to_string(told.error());
    EXPECT_EQ(told->service.data_id, "com.alipay.test.Svc:1.0@DEFAULT");
    EXPECT_EQ(told->service.group, "SOFA");
    EXPECT_EQ(told->scope, Scope::data_center);
    EXPECT_EQ(told->version, Version(1'600'000'000'456));
    EXPECT_EQ(told->boxes, (std::vector<std::string>{"192.168.1.1:12200", "192.168.1.2:12200"}));
    const auto nobody = java_push(Java("v542-push-data-empty").frame);
    ASSERT_TRUE(nobody.has_value());
    EXPECT_TRUE(nobody->boxes.empty());

    const std::string ack = java_ack(push.frame);
    const auto ours = bolt::decode_frame(ack, {});
    EXPECT_TRUE(ours.frame.head.is_response());
    EXPECT_EQ(ours.frame.head.request_id, push.frame.head.request_id);
    EXPECT_EQ(ours.frame.content, Java("v542-push-ack-ok").frame.content);

    EXPECT_TRUE(java_answer(Java("v542-register-response-ok").frame).has_value());
    EXPECT_EQ(java_answer(Java("v663-register-response-failed").frame).error().code, Errc::refused);
}

TEST(JavaFrames, RefuseWhatIsNone) {
    bolt::Frame frame;
    frame.content = "x";
    frame.head.status = bolt::Status::success;
    for (const char* content : {"x", "N", "\x01s"}) {
        frame.content = content;
        EXPECT_EQ(java_push(frame).error().code, Errc::bad_content) << content;
        EXPECT_EQ(java_answer(frame).error().code, Errc::bad_content) << content;
    }
    EXPECT_EQ(java_answer(Java("v542-error-response-timeout").frame).error().code, Errc::refused);
}

// The content of a push whose zones all share one list, which has `box`, once, and then `again`
// times a reference to it or, where there is no box, nothing.
std::string shared_list(std::size_t zones, const char* box, std::size_t again) {
    const hessian::ClassShape push{.name = hessian::text_of("a.Push"),
                                   .fields = {hessian::text_of("data")}};
    const hessian::ClassShape data_box{.name = hessian::text_of("a.Box"),
                                       .fields = {hessian::text_of("data")}};
    std::string content;
    hessian::Writer writer(content);
    writer.begin_object(push);
    writer.begin_map({});
    for (std::size_t zone = 0; zone < zones; ++zone) {
        writer.int32(static_cast<std::int32_t>(zone));
        if (zone > 0) {
            writer.reference(2);  // after the push and its map
            continue;
        }
        writer.begin_list({}, again + 1);
        for (std::size_t i = 0; i <= again; ++i) {
            if (box == nullptr) {
                writer.null();
            } else if (i > 0) {
                writer.reference(3);
            } else {
                writer.begin_object(data_box);
                writer.utf8(box);
            }
        }
        writer.end_list();
    }
    writer.end_map();
    return content;
}

TEST(JavaFrames, FollowReferencesToSharedBoxesWithinABound) {
    const auto read = [](std::string content) {
        EXPECT_LT(content.size(), 200'000U);
        bolt::Frame frame;
        frame.content = content;
        return java_push(frame);
    };
    EXPECT_EQ(read(shared_list(2, "b", 1))->boxes, (std::vector<std::string>(4, "b")));
    const std::string long_box(30'000, 'x');
    for (const std::string& content :
         {shared_list(1, long_box.c_str(), 2'500), shared_list(2'500, long_box.c_str(), 0),
          shared_list(1'500, "b", 1'500), shared_list(1'500, nullptr, 1'500)}) {
        const auto told = read(content);
        ASSERT_FALSE(told.has_value());
        EXPECT_EQ(told.error(),
                  (Error{Errc::too_large, "a push that cannot be read: boxes over the limit"}));
    }
}

// With MUSTER_RENEW_SEEDS set what is missing or different is written anew.
void expect_seed(const std::string& name, const std::string& seed) {
    const auto file =
        std::filesystem::path(MUSTER_SOURCE_ROOT "/tests/corpus/java_frames_fuzz") / name;
    std::ifstream in(file, std::ios::binary);
    if (std::string{std::istreambuf_iterator<char>(in), {}} == seed) {
        return;
    }
    if (std::getenv("MUSTER_RENEW_SEEDS") != nullptr) {
        std::ofstream(file, std::ios::binary) << seed;
        return;
    }
    ADD_FAILURE()
        << file
        << " is not what a peer said: run this test with MUSTER_RENEW_SEEDS=1 to write it anew";
}

// A seed is a byte for a push or an answer (java_frames_fuzz.cc), and its content.
TEST(JavaFrames, AreSeedsOfTheirFuzzerAsTheJavaServerSaysThem) {
    for (const char* name : {"basic", "all-null", "empty", "empty-zone", "java-collections",
                             "nulls", "shared-list", "zones-unicode"}) {
        const Java push(std::string("v663-push-data-") + name);
        ASSERT_TRUE(is_java_push(push.frame));
        EXPECT_TRUE(java_push(push.frame).has_value()) << name;
        expect_seed(std::string("push-") + name, '\0' + std::string(push.frame.content));
    }
    expect_seed("push-shared-box", '\0' + shared_list(3, "b", 3));
    for (const char* name : {"ok", "null", "failed", "refused"}) {
        const Java answer(std::string("v663-register-response-") + name);
        EXPECT_TRUE(answer.frame.head.is_response());
        expect_seed(std::string("answer-") + name, '\1' + std::string(answer.frame.content));
    }
}

}  // namespace
}  // namespace muster::load
