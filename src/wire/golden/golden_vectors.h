#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "wire/bolt/frame.h"
#include "wire/hessian/value.h"

// The bytes of real Java clients and servers and what they mean (api/bolt/golden/README.md). For
// tests only.
namespace muster::golden {

// One file NAME.bin with its NAME.json.
struct Vector {
    std::string name;
    std::string bytes;
    bool is_frame = false;  // else: one bare Hessian value

    // ---- what the JSON says; `frame` and the numbers after it only for frames
    bolt::FrameHead head;
    std::string class_name;
    std::size_t content_bytes = 0;
    std::size_t content_offset = 0;
    std::string crc32;  // hexadecimal; empty: the frame has none

    bool has_body = false;
    bool is_throwable = false;  // only class_name and `message` are told
    std::string throwable_class;
    std::string throwable_message;
    hessian::Value body;
};

// One direction of a recorded conversation.
struct Stream {
    std::string name;  // "live-663.conn1.c2s"
    std::string bytes;
};

// The folder: MUSTER_GOLDEN, else ../shared/golden beside `source_root`, else its api/bolt/golden.
[[nodiscard]] std::filesystem::path folder(const std::filesystem::path& source_root);

// All vectors of the folder, by name. Errors: io_error, bad_content.
[[nodiscard]] Result<std::vector<Vector>> read_vectors(const std::filesystem::path& folder);

// One vector by name, without ".bin".
[[nodiscard]] Result<Vector> read_vector(const std::filesystem::path& folder,
                                         const std::string& name);

// All recorded streams below live/, by name. Errors: io_error.
[[nodiscard]] Result<std::vector<Stream>> read_streams(const std::filesystem::path& folder);

}  // namespace muster::golden
