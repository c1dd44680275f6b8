#include "list_cache.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <variant>

#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "doors/native_codec/native_codec.h"

namespace muster::sdk_core {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "MUSTERL1";
constexpr std::size_t kCheckedFrom = kMagic.size() + sizeof(std::uint32_t);
constexpr std::size_t kListFrom = kCheckedFrom + sizeof(std::int64_t);
constexpr std::size_t kFilesMax = 20'000;
constexpr std::string_view kEnding = ".list";

Result<std::string> read_whole(const fs::path& file, std::size_t bytes_max) {
    std::error_code why;
    const auto size = fs::file_size(file, why);
    if (why || size > bytes_max) {
        return fail(Errc::corrupt, why ? why.message() : "larger than a list can be");
    }
    std::string bytes(size, '\0');
    std::ifstream in(file, std::ios::binary);
    in.read(bytes.data(), static_cast<std::streamsize>(size));
    if (in.gcount() != static_cast<std::streamsize>(size)) {
        return fail(Errc::io_error, "cannot be read as a whole");
    }
    return bytes;
}

}  // namespace

std::string encode_cached_list(const client::ListSnapshot& list) {
    std::string checked;
    append_big_endian(checked, list.as_of.unix_ms);
    checked += native::encode(
        msg::Push{.view = list.view, .scope = list.key.scope, .zone = list.key.zone});
    std::string bytes(kMagic);
    append_big_endian(bytes, crc32c(checked));
    return bytes + checked;
}

Result<client::ListSnapshot> decode_cached_list(std::string_view bytes) {
    if (bytes.size() < kListFrom || !bytes.starts_with(kMagic)) {
        return fail(Errc::corrupt, "is no list of this version");
    }
    if (read_big_endian<std::uint32_t>(bytes, kMagic.size()) !=
        crc32c(bytes.substr(kCheckedFrom))) {
        return fail(Errc::corrupt, "the checksum does not match");
    }
    auto message = native::decode_server_message(native::kPushClass, bytes.substr(kListFrom),
                                                 native::client_codec_limits());
    const auto* push = message ? std::get_if<msg::Push>(&*message) : nullptr;
    if (push == nullptr || push->view == nullptr || push->delta != nullptr) {
        return fail(Errc::corrupt, "holds no whole list");
    }
    return client::ListSnapshot{
        .key = {.service = *push->view->service, .scope = push->scope, .zone = push->zone},
        .view = push->view,
        .as_of = {.unix_ms = read_big_endian<std::int64_t>(bytes, kCheckedFrom)}};
}

ListCache::Loaded ListCache::load() const {
    Loaded loaded;
    std::error_code why;
    const std::size_t bytes_max = native::client_codec_limits().message_bytes_max;
    for (const auto& file : fs::directory_iterator(folder_, why)) {
        if (file.path().extension() != kEnding || loaded.lists.size() >= kFilesMax) {
            continue;
        }
        auto bytes = read_whole(file.path(), bytes_max);
        auto list = bytes ? decode_cached_list(*bytes)
                          : Result<client::ListSnapshot>(std::unexpected(bytes.error()));
        if (list) {
            loaded.lists.push_back(std::move(*list));
        } else {
            loaded.problems.push_back(file.path().string() + ": " + list.error().detail);
        }
    }
    if (why && why != std::errc::no_such_file_or_directory) {
        loaded.problems.push_back(folder_ + ": " + why.message());
    }
    return loaded;
}

std::string ListCache::file_of(const client::ListKey& key) const {
    // Names are free text; their hash is a file name. The list itself says whose it is.
    const std::string name =
        key.service.data_info_id() + "#@#" + std::string(to_string(key.scope)) + "#@#" + key.zone;
    const SetDigest digest = digest_of(std::string_view(name));
    char hex[33];
    std::snprintf(hex, sizeof hex, "%016llx%016llx", static_cast<unsigned long long>(digest.high),
                  static_cast<unsigned long long>(digest.low));
    return folder_ + "/" + hex + std::string(kEnding);
}

Result<void> ListCache::save(const client::ListSnapshot& list) const {
    static std::atomic<unsigned> count{0};
    std::error_code why;
    fs::create_directories(folder_, why);
    const std::string file = file_of(list.key);
    const std::string fresh =
        file + "." + std::to_string(::getpid()) + "-" + std::to_string(++count) + ".new";
    const std::string bytes = encode_cached_list(list);
    bool written = false;
    {
        std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
        out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        out.close();
        written = static_cast<bool>(out);
    }
    if (!written || std::rename(fresh.c_str(), file.c_str()) != 0) {
        const std::string reason = std::strerror(errno);
        std::remove(fresh.c_str());
        return fail(Errc::io_error, file + ": " + reason);
    }
    return {};
}

}  // namespace muster::sdk_core
